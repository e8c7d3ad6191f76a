using System.Globalization;

namespace Coppice.Crash.Tests;

/// <summary>What all killed processes were told was stored, held against what is there.</summary>
internal sealed class StoreAudit
{
    private readonly HashSet<string> _spawned = [];
    private readonly Dictionary<string, string> _ended = [];
    private readonly Dictionary<string, int> _messages = [];
    private readonly Dictionary<string, long> _acknowledged = [];
    private readonly Dictionary<string, TaskSnapshot> _seen = [];

    private int _orphans;

    internal KillTotals Totals => new()
    {
        Spawns = _spawned.Count,
        Ends = _ended.Count,
        Messages = _messages.Values.Sum(),
        Stored = _seen.Count,
        Orphans = _orphans,
    };

    internal void Acknowledge(IEnumerable<string> lines)
    {
        foreach (var words in lines.Select(line => line.Split(' ')))
        {
            switch (words)
            {
                case ["S", var id]:
                    Assert.True(_spawned.Add(id), $"{id} was given twice.");
                    break;
                case ["E", var id, var state]:
                    _ended.Add(id, state);
                    break;
                case ["M", var thread, var number]:
                    _messages[thread] = int.Parse(number, CultureInfo.InvariantCulture);
                    break;
                case ["A", var thread, var sequence]:
                    _acknowledged[thread] = long.Parse(sequence, CultureInfo.InvariantCulture);
                    break;
            }
        }
    }

    internal async Task CheckAsync(BackgroundTaskManager manager, CancellationToken stop)
    {
        var tasks = new Dictionary<string, TaskSnapshot>();
        await foreach (var task in manager.ExportAsync(cancellationToken: stop))
        {
            tasks.Add(task.TaskId, task);
        }

        Assert.Empty(_spawned.Except(tasks.Keys));
        Assert.All(_ended, end => Assert.Equal(end.Value, tasks[end.Key].State.ToWireName()));
        Assert.All(tasks.Values, task => Assert.True(task.State.IsTerminal(), $"{task.TaskId} is still {task.State}."));

        // What has ended once never changes, through all the kills that follow.
        Assert.All(_seen, seen => Assert.Equal(seen.Value, tasks[seen.Key]));
        foreach (var task in tasks.Values.Where(task => _seen.TryAdd(task.TaskId, task)))
        {
            _orphans += task.Error == "task orphaned: runtime restarted while running" ? 1 : 0;
        }

        foreach (var thread in tasks.Values.Select(task => task.OwnerThreadId).Distinct())
        {
            await CheckMailAsync(manager, thread, tasks, stop);
        }

        foreach (var (thread, last) in _messages)
        {
            await CheckMessagesAsync(manager, thread, last, stop);
        }
    }

    private static async Task CheckMailAsync(
        BackgroundTaskManager manager, string thread, Dictionary<string, TaskSnapshot> tasks, CancellationToken stop)
    {
        await using var inbox = await manager.OpenInboxAsync(thread, stop);
        var items = await inbox.DrainAsync(stop);
        Assert.Equal(Enumerable.Range(1, items.Count).Select(number => (long)number), items.Select(item => item.Sequence));

        var byTask = items.Select(item => (TaskEvent)item.Event).ToLookup(mail => mail.TaskId);
        foreach (var task in tasks.Values.Where(task => task.OwnerThreadId == thread))
        {
            var events = byTask[task.TaskId].ToList();
            Assert.True(events.Count > 0, $"{task.TaskId} has ended and told nobody.");
            Assert.True(events[^1].IsTerminal, $"{task.TaskId} told something after its end.");
            Assert.Single(events, mail => mail.IsTerminal);
            Assert.Equal(Expected(task), events[^1]);

            // A crash may lose the tail of what was emitted, never a middle.
            Assert.Equal(
                Enumerable.Range(0, events.Count - 1), events.SkipLast(1).Select(mail => ((CustomTaskEvent)mail).Payload.GetInt32()));
        }
    }

    private static TaskEvent Expected(TaskSnapshot task) => task.State switch
    {
        TaskState.Completed => new TaskCompleted(task.TaskId, task.Result),
        TaskState.Failed => new TaskFailed(task.TaskId, task.Error!),
        _ => new TaskCancelled(task.TaskId),
    };

    /// <summary>What the agent had not acknowledged became dead letters, in order; what it had is gone.</summary>
    private async Task CheckMessagesAsync(BackgroundTaskManager manager, string thread, int last, CancellationToken stop)
    {
        var letters = await manager.ListDeadLettersAsync(thread, stop);
        var numbers = letters
            .Select(letter => AgentMessage.TryRead(letter.Event, out _, out var content) ? int.Parse(content, CultureInfo.InvariantCulture) : 0)
            .ToList();
        Assert.Equal(Enumerable.Range(numbers.FirstOrDefault(), numbers.Count), numbers);
        var acknowledged = _acknowledged.GetValueOrDefault(thread);
        Assert.True(numbers.Count == 0 || numbers[0] > acknowledged, "An acknowledged message came back.");
        Assert.True(numbers.Count == 0 ? last <= acknowledged + 2 : numbers[^1] >= last, "A delivered message is lost.");
    }
}
