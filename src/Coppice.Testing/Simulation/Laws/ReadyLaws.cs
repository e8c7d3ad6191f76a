namespace Coppice.Testing;

/// <summary>Whether a host could have begun a task that is due: it knows the kind, has room, and no limit is in the way.</summary>
internal sealed class Opportunity(Evidence evidence)
{
    private readonly Dictionary<SimulatedProcess, int> _parked = [];
    private readonly Dictionary<string, List<(long Epoch, DateTimeOffset At)>> _crashes = new(StringComparer.Ordinal);

    internal WorkReplay Replay { get; } = new();

    internal void Apply(HistoryEntry entry)
    {
        switch (entry)
        {
            case BodyParked park:
                _parked[park.Host] = _parked.GetValueOrDefault(park.Host) + (park.Begins ? 1 : -1);
                break;
            case BatchApplied { HasLanded: true } applied:
                NoteCrashes(applied);
                break;
        }

        Replay.Apply(entry);
    }

    /// <summary>Whether a host could begin a task now.</summary>
    internal bool IsThere(SimulatedHost host, WorkReplay.Held task, DateTimeOffset now) =>
        host.Options.Tasks.FirstOrDefault(kind => kind.Name == task.Work.Kind) is { } kind
        && kind.Version >= task.Work.Version
        && HasRoom(host)
        && IsAllowed(kind.ToClaim(), task)
        && !IsStopped(kind, now);

    private bool HasRoom(SimulatedHost host) =>
        Replay.Running.Count(task => task.Taken!.Process == host.Process) - Math.Max(0, _parked.GetValueOrDefault(host.Process)) < host.Options.MaxConcurrentAttempts
        && !IsHeldUp(host);

    /// <summary>A body that was given up and does not listen takes up room that no store knows of.</summary>
    private bool IsHeldUp(SimulatedHost host) => evidence.Tasks.Values.SelectMany(static task => task.Runs.Values)
        .Any(run => run.Host == host.Process && run is { Over: not null, Finished: null, BodyEnd: null });

    private bool IsAllowed(KindClaim limits, WorkReplay.Held task)
    {
        var running = Replay.Running.Where(other => other.Work.Kind == task.Work.Kind).ToList();
        return running.Count < limits.MaxRunning && running.Count(other => other.ThreadId == task.ThreadId) < limits.MaxRunningPerThread;
    }

    private bool IsStopped(TaskKind kind, DateTimeOffset now) =>
        _crashes.TryGetValue(kind.Name, out var crashes)
        && crashes.Count(crash => crash.At > now - kind.RestartIntensity.Within) >= kind.RestartIntensity.MaxCrashes;

    private void NoteCrashes(BatchApplied applied)
    {
        foreach (var answer in applied.Result.Answers)
        {
            var lost = answer switch
            {
                HostSettled settled => settled.Recovered.Concat(settled.Orphans),
                HostJoined joined => joined.Recovered.Concat(joined.Orphans),
                _ => [],
            };
            foreach (var kind in lost.Select(Replay.Find).OfType<WorkReplay.Held>()
                .Select(static task => (task.Work.Kind, task.Taken?.Batch.Host.Epoch ?? 0)).Distinct())
            {
                if (!_crashes.TryGetValue(kind.Kind, out var crashes))
                {
                    _crashes.Add(kind.Kind, crashes = []);
                }

                crashes.Add((kind.Item2, applied.Batch.Time));
            }
        }
    }
}

internal sealed class NothingDueWaits : Law
{
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(15);

    internal override string Title => "Liveness: no task waits that may begin, where a host knows its kind and has room";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var opportunity = new Opportunity(evidence);
        foreach (var entry in evidence.Entries)
        {
            opportunity.Apply(entry);
            if (entry is not CameToRest)
            {
                continue;
            }

            var now = Evidence.TimeOf(entry);
            foreach (var task in opportunity.Replay.Tasks.Where(task => task is { Claim: 0, IsEnded: false } && task.ReadyAt < now - Enough))
            {
                if (evidence.Hosts.FirstOrDefault(host => evidence.AliveAtRest.Contains(host.Process) && opportunity.IsThere(host, task, now)) is { } host)
                {
                    yield return $"{task.TaskId} of kind {task.Work.Kind} may begin since {task.ReadyAt:HH:mm:ss.fff}, and {host.Name} could run it";
                }
                else if (task.Work.Deadline < now - Enough && evidence.Hosts.Any(each => evidence.AliveAtRest.Contains(each.Process) && each.Options.Tasks.Count > 0))
                {
                    yield return $"{task.TaskId} of kind {task.Work.Kind} is pending, and its deadline was {task.Work.Deadline:HH:mm:ss.fff}";
                }
            }
        }
    }
}

internal sealed class DueWorkIsBegunInTime : Law
{
    // A step of a host that is not paused comes at most a second late, and a claim takes some.
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(10);

    internal override string Title => "Work: what is due is begun in time, where nothing goes wrong and a host has room";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var opportunity = new Opportunity(evidence);
        var since = new Dictionary<(string TaskId, SimulatedHost Host), TimeSpan>();
        var able = new HashSet<SimulatedHost>();
        var before = TimeSpan.Zero;
        foreach (var entry in evidence.Entries)
        {
            // Between two entries nothing changes but the time.
            Look(opportunity, before, entry.At, able, since);
            before = entry.At;
            foreach (var ((taskId, host), from) in since)
            {
                if (entry.At - from > Lateness && opportunity.Replay.Find(taskId) is { Claim: 0, IsEnded: false } late)
                {
                    yield return $"{taskId} of kind {late.Work.Kind} could have been begun by {host.Name} from {from.TotalSeconds:0.000} s on";
                    yield break;
                }
            }

            opportunity.Apply(entry);
            switch (entry)
            {
                case HostStarted or HostResumed when HostOf(evidence, entry) is { } host:
                    able.Add(host);
                    break;
                case HostPaused or HostCrashed or HostDisposing when HostOf(evidence, entry) is { } host:
                    able.Remove(host);
                    break;
                case FaultMet or StoreReopened or HostClosed:
                    // What goes wrong is made up for with the next heartbeat at the latest.
                    since.Clear();
                    continue;
                case CameToRest:
                    yield break;
            }

            Look(opportunity, entry.At, entry.At, able, since);
        }
    }

    private static void Look(
        Opportunity opportunity, TimeSpan from, TimeSpan to, HashSet<SimulatedHost> able, Dictionary<(string TaskId, SimulatedHost Host), TimeSpan> since)
    {
        var pending = opportunity.Replay.Tasks.Where(task => task is { Claim: 0, IsEnded: false } && task.ReadyAt - Evidence.TimeZero <= to).ToList();
        foreach (var gone in since.Keys.Where(key => !able.Contains(key.Host) || !pending.Exists(task => task.TaskId == key.TaskId)).ToList())
        {
            since.Remove(gone);
        }

        foreach (var host in able)
        {
            foreach (var task in pending)
            {
                var ready = task.ReadyAt - Evidence.TimeZero;
                ready = ready > from ? ready : from;
                if (!opportunity.IsThere(host, task, Evidence.TimeZero + ready))
                {
                    since.Remove((task.TaskId, host));
                }
                else
                {
                    since.TryAdd((task.TaskId, host), ready);
                }
            }
        }
    }

    private static SimulatedHost? HostOf(Evidence evidence, HistoryEntry entry) => evidence.Hosts.FirstOrDefault(host => host.Process == entry.Process);
}
