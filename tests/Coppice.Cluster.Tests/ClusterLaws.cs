using System.Globalization;

namespace Coppice.Cluster.Tests;

/// <summary>What has to hold of any history of hosts on one database. Each law says what breaks it, a line for each break.</summary>
internal static class ClusterLaws
{
    private const string Orphaned = "task orphaned: runtime restarted while running";

    private static readonly (string Name, Func<HostHistory, ClusterEnd, IEnumerable<string>> Breaks)[] All =
    [
        ("nothing acknowledged is lost", Lost),
        ("an id is given once, and a key finds one task", Ids),
        ("every task has ended, once, as its host was told", Ends),
        ("a task whose end was seen does not change", Changed),
        ("nothing is committed by a host that was given up", Fenced),
        ("a name has one live task", Names),
        ("every end is one event", Events),
        ("a stored step is not paid for again", Steps),
        ("every message is there once and in order", Messages),
        ("what was acknowledged does not come again", Acknowledged),
        ("agents have had their messages once and in order", Agents),
        ("a fault of the database is said to pass", Faults),
        ("what the store counts adds up", static (_, end) => end.Leftovers),
    ];

    /// <summary>What is broken; empty when all holds.</summary>
    internal static IReadOnlyList<string> Check(HostHistory history, ClusterEnd end) =>
        [.. All.SelectMany(law => law.Breaks(history, end).Take(20).Select(broken => $"{law.Name}: {broken}"))];

    private static IEnumerable<string> Lost(HostHistory history, ClusterEnd end) =>
        from line in history["S"].Select(static line => (line.Host, Id: line[1])).Concat(history["K"].Select(static line => (line.Host, Id: line[2])))
        where !end.Tasks.ContainsKey(line.Id)
        select $"{line.Id} was acknowledged to {line.Host}, and is not there";

    private static IEnumerable<string> Ids(HostHistory history, ClusterEnd end)
    {
        foreach (var twice in history["S"].GroupBy(static line => line[1]).Where(static lines => lines.Count() > 1))
        {
            yield return $"{twice.Key} was given to {string.Join(" and ", twice.Select(static line => line.Host))}";
        }

        foreach (var key in history["K"].Where(static line => line[1] != "-").GroupBy(static line => (Thread: line[0], Key: line[1])))
        {
            var ids = key.Select(static line => line[2]).Distinct().ToList();
            if (ids.Count > 1)
            {
                yield return $"{key.Key.Key} of {key.Key.Thread} is {string.Join(" and ", ids)}";
            }
        }

        foreach (var line in history["S"].Where(line => end.Tasks.TryGetValue(line[1], out var task) && (task.OwnerThreadId != line[0] || (task.Name ?? "-") != line[2])))
        {
            yield return $"{line[1]} was spawned as {line[2]} of {line[0]}, and is {end.Tasks[line[1]].Name} of {end.Tasks[line[1]].OwnerThreadId}";
        }
    }

    private static IEnumerable<string> Ends(HostHistory history, ClusterEnd end)
    {
        foreach (var task in end.Tasks.Values.Where(static task => !task.State.IsTerminal()))
        {
            yield return $"{task.TaskId} is {task.State} of {task.Work?.Kind ?? "a body"}";
        }

        foreach (var told in history["E"].Where(told => end.Tasks.TryGetValue(told[0], out var task) && task.State.ToWireName() != told[1]))
        {
            yield return $"{told.Host} was told that {told[0]} is {told[1]}, and it is {end.Tasks[told[0]].State}";
        }

        // An orphan was a body that some process did not get to the end of, or whose end came after it was given up.
        var cancels = history["X"].Select(static line => line[0]).ToHashSet();
        foreach (var task in end.Tasks.Values.Where(task => task.State == TaskState.Cancelled && !cancels.Contains(task.TaskId)))
        {
            yield return $"{task.TaskId} was cancelled by nobody";
        }
    }

    private static IEnumerable<string> Changed(HostHistory history, ClusterEnd end) =>
        from seen in end.Seen
        where !end.Tasks.TryGetValue(seen.TaskId, out var now) || now != seen
        select $"{seen.TaskId} was {seen.State} {seen.Error}, and is {(end.Tasks.TryGetValue(seen.TaskId, out var now) ? $"{now.State} {now.Error}" : "gone")}";

    /// <summary>
    /// A task ends with what its last attempt came to. One that was given up may come to an end of its own later, which is nowhere to be seen.
    /// </summary>
    private static IEnumerable<string> Fenced(HostHistory history, ClusterEnd end)
    {
        var outcomes = history["O"].ToLookup(static line => line[0], static line => (State: line[1], Receipt: line.Rest(2)));
        foreach (var task in end.Tasks.Values)
        {
            var own = outcomes[task.TaskId].ToList();
            if (task.State == TaskState.Completed)
            {
                var receipt = task.Result!.Value.GetString()!;
                if (!own.Contains(("completed", receipt)))
                {
                    yield return $"{task.TaskId} completed with {receipt}, which no body gave";
                }

                if (task.Work is { } work && !receipt.StartsWith(string.Create(CultureInfo.InvariantCulture, $"{work.Attempt}:"), StringComparison.Ordinal))
                {
                    yield return $"{task.TaskId} had {work.Attempt} attempts, and its result {receipt} is of an earlier one";
                }
            }
            else if (task is { State: TaskState.Failed, Work: null } && task.Error != Orphaned && !own.Contains(("failed", task.Error!)))
            {
                yield return $"{task.TaskId} failed with {task.Error}, which no body gave";
            }
        }

        // One attempt at a time has a claim, so that no number of an attempt begins twice; a task that may not run again begins once.
        foreach (var begun in history["I"].GroupBy(static line => (Id: line[0], Attempt: line[1])).Where(static lines => lines.Count() > 1))
        {
            yield return $"attempt {begun.Key.Attempt} at {begun.Key.Id} began on {string.Join(" and ", begun.Select(static line => line.Host))}";
        }

        foreach (var begun in history["B"].GroupBy(static line => line[0]).Where(static lines => lines.Count() > 1))
        {
            yield return $"the body of {begun.Key} began {begun.Count()} times";
        }

        var once = end.Tasks.Values.Where(static task => task.Work?.Recovery == RecoveryPolicy.Never).Select(static task => task.TaskId).ToHashSet();
        foreach (var begun in history["I"].Where(line => once.Contains(line[0])).GroupBy(static line => line[0]).Where(static lines => lines.Count() > 1))
        {
            yield return $"{begun.Key} may not run again, and began {begun.Count()} times";
        }
    }

    /// <summary>From the acknowledgement of its spawn until its body gives the outcome that was stored, a task surely has its name.</summary>
    private static IEnumerable<string> Names(HostHistory history, ClusterEnd end)
    {
        var outcomes = history["O"].ToLookup(static line => line[0]);
        var held = from spawn in history["S"]
                   where spawn[2] != "-" && end.Tasks.ContainsKey(spawn[1])
                   let task = end.Tasks[spawn[1]]
                   let body = outcomes[spawn[1]].FirstOrDefault(line => line[1] != "stopped" && line.Rest(2) == (task.Error ?? (task.Result is { } result ? result.GetString() : null)))
                   where body is not null && body.At > spawn.At
                   select (Thread: spawn[0], Name: spawn[2], Id: spawn[1], From: spawn.At, To: body.At);
        foreach (var name in held.GroupBy(static one => (one.Thread, one.Name)))
        {
            var inOrder = name.OrderBy(static one => one.From).ToList();
            foreach (var (earlier, later) in inOrder.Zip(inOrder.Skip(1)).Where(static pair => pair.Second.From < pair.First.To))
            {
                yield return $"{name.Key.Name} of {name.Key.Thread} was {earlier.Id} until {earlier.To}, and {later.Id} from {later.From}";
            }
        }
    }

    private static IEnumerable<string> Events(HostHistory history, ClusterEnd end)
    {
        foreach (var (thread, mail) in end.Mail.Where(static box => box.Key[0] == 't'))
        {
            var inOrder = mail.Select(static item => item.Sequence).ToList();
            if (!inOrder.SequenceEqual(inOrder.Distinct().Order()))
            {
                yield return $"{thread} is not in order";
            }

            var events = mail.Select(static item => item.Event).OfType<TaskEvent>().ToLookup(static mail => mail.TaskId);
            foreach (var task in end.Tasks.Values.Where(task => task.OwnerThreadId == thread))
            {
                var own = events[task.TaskId].ToList();
                var terminals = own.Where(static mail => mail.IsTerminal).ToList();
                if (terminals.Count != 1 || !terminals[0].Equals(Expected(task)))
                {
                    yield return $"{task.TaskId} is {task.State} {task.Error}, and told {string.Join(", ", terminals)}";
                }
                else if (!own[^1].IsTerminal)
                {
                    yield return $"{task.TaskId} told something after its end";
                }

                // A crash may lose the tail of what was emitted, never a middle.
                var steps = own.OfType<CustomTaskEvent>().Select(static custom => custom.Payload.GetInt32()).ToList();
                if (!steps.SequenceEqual(Enumerable.Range(0, steps.Count)))
                {
                    yield return $"{task.TaskId} emitted {string.Join(", ", steps)}";
                }
            }
        }

        static TaskEvent Expected(TaskSnapshot task) => task.State switch
        {
            TaskState.Completed => new TaskCompleted(task.TaskId, task.Result),
            TaskState.Failed => new TaskFailed(task.TaskId, task.Error!),
            _ => new TaskCancelled(task.TaskId),
        };
    }

    private static IEnumerable<string> Steps(HostHistory history, ClusterEnd end)
    {
        var paid = history["P"].ToLookup(static line => (line[0], line[1]));
        foreach (var step in history["T"].GroupBy(static line => (Id: line[0], Key: line[1])))
        {
            var receipts = step.Select(static line => line[2]).Distinct().ToList();
            if (receipts.Count > 1)
            {
                yield return $"step {step.Key.Key} of {step.Key.Id} is {string.Join(" and ", receipts)}";
            }

            var first = step.First();
            if (paid[step.Key].FirstOrDefault(line => line.At > first.At) is { } again && !IsZombie(history, again))
            {
                yield return $"step {step.Key.Key} of {step.Key.Id} was stored at {first.At} on {first.Host}, and paid for again on {again.Host} at {again.At}";
            }

            if (!paid[step.Key].Any(line => line[2] == receipts[0]))
            {
                yield return $"step {step.Key.Key} of {step.Key.Id} is {receipts[0]}, for which nobody paid";
            }
        }

        // The results that the last attempt was given are those that it ends with.
        var taken = history["T"].Select(static line => (line[0], line[2])).ToHashSet();
        foreach (var task in end.Tasks.Values.Where(static task => task is { State: TaskState.Completed, Work.Kind: "steps" }))
        {
            foreach (var receipt in task.Result!.Value.GetString()!.Split(':')[1].Split(',').Where(receipt => !taken.Contains((task.TaskId, receipt))))
            {
                yield return $"{task.TaskId} ended with {receipt}, which no step gave";
            }
        }
    }

    /// <summary>An attempt that was given up and does not know it yet may pay: it cannot be kept from it, only from storing.</summary>
    private static bool IsZombie(HostHistory history, HostLine paid)
    {
        var attempts = history["I"].Where(line => line[0] == paid[0] && line.At < paid.At).ToList();
        return attempts.Count > 0 && attempts[^1].Host != paid.Host;
    }

    private static IEnumerable<string> Messages(HostHistory history, ClusterEnd end)
    {
        foreach (var thread in history["M"].Concat(history["R"]).Select(static line => line[0]).Distinct())
        {
            var places = history["R"].Where(line => line[0] == thread).Select(static line => (Sequence: line.Number(2), Content: line.Rest(3)))
                .Concat((end.Mail.TryGetValue(thread, out var left) ? left : []).Select(static item => (item.Sequence, ((ThreadMessage)item.Event).Content)))
                .Distinct().OrderBy(static place => place.Sequence).ToList();
            foreach (var shared in places.GroupBy(static place => place.Sequence).Where(static same => same.Count() > 1))
            {
                yield return $"{thread} has at {shared.Key} both {string.Join(" and ", shared.Select(static place => place.Content))}";
            }

            foreach (var twice in places.GroupBy(static place => place.Content).Where(static same => same.Count() > 1))
            {
                yield return $"{thread} has {twice.Key} at {string.Join(" and ", twice.Select(static place => place.Sequence))}";
            }

            var there = places.Select(static place => place.Content).ToHashSet();
            foreach (var lost in history["M"].Where(line => line[0] == thread && !there.Contains(line.Rest(1))))
            {
                yield return $"{lost.Rest(1)} to {thread} was acknowledged, and is not there";
            }

            foreach (var sender in places.GroupBy(static place => place.Content.Split(' ')[0]))
            {
                var numbers = sender.Select(static place => int.Parse(place.Content.Split(' ')[1], CultureInfo.InvariantCulture)).ToList();
                if (!numbers.SequenceEqual(Enumerable.Range(1, numbers.Count)))
                {
                    yield return $"{thread} has of {sender.Key} {string.Join(", ", numbers)}";
                }
            }
        }
    }

    private static IEnumerable<string> Acknowledged(HostHistory history, ClusterEnd end)
    {
        var opened = history["Y"].ToDictionary(static line => line[1], static line => line.At);
        foreach (var thread in history["A"].GroupBy(static line => line[0]))
        {
            var reads = history["R"].Where(line => line[0] == thread.Key).Select(line => (Line: line, Opened: opened[line[1]], Sequence: line.Number(2))).ToList();
            foreach (var acked in thread)
            {
                foreach (var again in reads.Where(read => read.Opened > acked.At && read.Sequence <= acked.Number(2)).Take(1))
                {
                    yield return $"{thread.Key} {acked[2]} was acknowledged by {acked[1]}, and {again.Sequence} read by {again.Line[1]}, who opened it later";
                }

                if (end.Mail.TryGetValue(thread.Key, out var left) && left.Any(item => item.Sequence <= acked.Number(2)))
                {
                    yield return $"{thread.Key} {acked[2]} was acknowledged by {acked[1]}, and is there";
                }
            }
        }

        foreach (var reader in history["R"].GroupBy(static line => line[1]))
        {
            var sequences = reader.Select(static line => line.Number(2)).ToList();
            if (!sequences.SequenceEqual(sequences.Distinct().Order()))
            {
                yield return $"{reader.Key} read {string.Join(", ", sequences)}";
            }
        }
    }

    private static IEnumerable<string> Agents(HostHistory history, ClusterEnd end) =>
        from task in end.Tasks.Values
        where task is { State: TaskState.Completed, Work.Kind: "reader" }
        let had = task.Result!.Value.GetString()!.Split(':')[1].Split(',', StringSplitOptions.RemoveEmptyEntries)
        let numbers = had.Select(static content => content.Split(' ')[1])
        where !numbers.SequenceEqual(Enumerable.Range(1, had.Length).Select(static number => number.ToString(CultureInfo.InvariantCulture)))
        select $"{task.TaskId} had {string.Join(", ", had)}";

    private static IEnumerable<string> Faults(HostHistory history, ClusterEnd end) =>
        from fault in history["F"]
        where fault[1] != "transient"
        select $"{fault.Host} was told {fault.Rest(0)}";
}
