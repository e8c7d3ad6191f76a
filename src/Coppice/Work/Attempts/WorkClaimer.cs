using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>
/// Takes pending tasks of the registered kinds out of the store, as many as there is room for. It looks when something was spawned or handed
/// back, when a body has ended for which others had to wait, when the next task is due, and when another host has gone.
/// </summary>
internal sealed class WorkClaimer
{
    private const int MostAtOnce = 256;

    private readonly TaskIntake _intake;
    private readonly HostSession _host;
    private readonly StoreGateway _store;
    private readonly TaskMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationToken _stopping;
    private readonly IReadOnlyList<KindClaim> _kinds;
    private readonly Lock _lock = new();
    private readonly Lookout _lookout;
    private readonly ConcurrentDictionary<string, bool> _unknown = new(StringComparer.Ordinal);
    private int _held;
    private int _parked;
    private bool _mayWaitForRoom;
    private volatile bool _hasBegun;

    internal WorkClaimer(
        TaskRunner runner, TaskIntake intake, HostSession host, StoreGateway store, BackgroundTaskOptions options, TaskMetrics metrics,
        ILogger logger, CancellationToken stopping)
    {
        Runner = runner;
        _intake = intake;
        _host = host;
        _store = store;
        Options = options;
        _metrics = metrics;
        _logger = logger;
        _stopping = stopping;
        _kinds = [.. options.Tasks.Select(static kind => kind.ToClaim())];
        _lookout = new Lookout(ClaimAsync, e => Log.ClaimFailed(_logger, e), options);
    }

    internal BackgroundTaskOptions Options { get; }

    internal TaskRunner Runner { get; }

    /// <summary>The manager's start has returned. A host without kinds looks only for deadlines, and for those it is told of.</summary>
    internal void Begin()
    {
        _hasBegun = true;
        if (_kinds.Count > 0)
        {
            _lookout.Look();
        }
    }

    /// <summary>A task of a kind is on its way into the store: a look that comes right behind it can have it out in the same transaction.</summary>
    internal void Expect(string kind)
    {
        if (_hasBegun && Options.Tasks.TryFind(kind, out _) && HasRoom())
        {
            _lookout.LookAtOnce();
        }
    }

    /// <summary>News of the store: tasks of a kind may be claimed, at once or from a time on.</summary>
    internal void OnWork(string kind, DateTimeOffset? at)
    {
        if (at is { } time)
        {
            _lookout.LookAt(time);
        }
        else if (_kinds.Count > 0 && !_unknown.ContainsKey(kind) && HasRoom())
        {
            _lookout.Look();
        }
    }

    /// <summary>A look that failed is made up for.</summary>
    internal void OnBeat()
    {
        if (_lookout.HasFailed)
        {
            _lookout.Look();
        }
    }

    /// <summary>An attempt has ended.</summary>
    internal void Ended()
    {
        lock (_lock)
        {
            _held--;
        }

        UseRoom();
    }

    /// <summary>A body that waits for other tasks or for time makes room for them, or they might wait for it.</summary>
    internal void Parked()
    {
        lock (_lock)
        {
            _parked++;
        }

        Options.Scheduler.OnParked(begins: true);
        UseRoom();
    }

    internal void Unparked()
    {
        lock (_lock)
        {
            _parked--;
        }

        Options.Scheduler.OnParked(begins: false);
    }

    /// <summary>Takes in what was claimed, from inside the commit.</summary>
    internal List<LiveTask> Take(WorkClaimed claimed, HostFence fence, Guid agentReader)
    {
        var tasks = new List<LiveTask>(claimed.Tasks.Count);
        foreach (var work in claimed.Tasks)
        {
            if (Options.Tasks.TryFind(work.Task.Work!.Kind, out var registered))
            {
                lock (_lock)
                {
                    _held++;
                }

                var task = new LiveTask(Runner, registered.CreateBody(work.Task.Work.Input), registered.Kind.Blocking);
                task.Describe(new TaskAttempt(this, registered, work), agentReader);
                _intake.TakeClaimed(task, work.Task.TaskId, fence);
                tasks.Add(task);
            }
        }

        return tasks;
    }

    /// <summary>Takes no more, and completes when nothing is being claimed.</summary>
    internal Task StopAsync() => _lookout.StopAsync();

    private int Room => Math.Min(MostAtOnce, Options.MaxConcurrentAttempts - _held + _parked);

    /// <summary>Whether there is room. Where there is none, the next to make some looks.</summary>
    private bool HasRoom()
    {
        lock (_lock)
        {
            _mayWaitForRoom |= Room <= 0;
            return Room > 0;
        }
    }

    /// <summary>There may be room now. Where nothing was left for lack of it, nothing is to be found.</summary>
    private void UseRoom()
    {
        lock (_lock)
        {
            if (Room <= 0 || !(_mayWaitForRoom || _lookout.HasFailed))
            {
                return;
            }
        }

        _lookout.Look();
    }

    private async ValueTask ClaimAsync()
    {
        if (!_hasBegun)
        {
            return;
        }

        int room;
        lock (_lock)
        {
            room = Math.Max(Room, 0);
            _mayWaitForRoom = false;
        }

        // Without room what is due and what has expired is still looked after.
        var claim = new ClaimWork(_kinds, room) { AgentReader = Options.Scheduler.NewGuid() };
        var landing = new ClaimLanding(this, _intake, claim.AgentReader);
        CommitResult result;
        try
        {
            result = await _store.CommitAsync("claim", claim, _host.Fence, landing, _stopping).ConfigureAwait(false);
        }
        catch
        {
            landing.GiveUp();
            throw;
        }

        // A host that was given up joins anew with its next heartbeat.
        _lookout.HasFailed = result.Answer is not WorkClaimed;
        if (result.Answer is not WorkClaimed claimed)
        {
            return;
        }

        landing.Start(mayHaveMissedNews: result.WasFound);
        Note(claimed);
        if (claimed.Tasks.Count == room && HasRoom())
        {
            _lookout.Look();
        }
    }

    private void Note(WorkClaimed claimed)
    {
        _metrics.Claimed(claimed.Tasks.Count);
        foreach (var kind in claimed.UnknownKinds)
        {
            if (_unknown.TryAdd(kind, true))
            {
                Log.KindUnknown(_logger, kind);
            }
        }

        if (claimed.NextLook is { } next)
        {
            _lookout.LookAt(next);
        }
    }
}
