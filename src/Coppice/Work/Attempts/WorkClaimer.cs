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

    private readonly ManagerCore _core;
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
        ManagerCore core, TaskRunner runner, HostSession host, StoreGateway store, BackgroundTaskOptions options, TaskMetrics metrics, ILogger logger,
        CancellationToken stopping)
    {
        _core = core;
        Runner = runner;
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

    /// <summary>A task was claimed and not given up yet.</summary>
    internal void Held()
    {
        lock (_lock)
        {
            _held++;
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
        var landing = new ClaimLanding(this, claim.AgentReader);
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

    /// <summary>Takes in what was claimed, from inside the commit: from here on it can be found, and cancelled.</summary>
    private List<LiveTask> Take(WorkClaimed claimed, HostFence fence, Guid agentReader)
    {
        var tasks = new List<LiveTask>(claimed.Tasks.Count);
        foreach (var work in claimed.Tasks)
        {
            if (Options.Tasks.TryFind(work.Task.Work!.Kind, out var registered))
            {
                Held();
                tasks.Add(Runner.Take(new TaskAttempt(this, registered, work), registered.CreateBody(work.Task.Work.Input), fence, agentReader));
            }
        }

        return tasks;
    }

    /// <summary>What one claim brings. Its tasks begin when it is answered; when the answer is lost, once it is known that it landed.</summary>
    private sealed class ClaimLanding(WorkClaimer claimer, Guid agentReader) : ICommitObserver
    {
        private readonly Lock _lock = new();
        private List<LiveTask> _landed = [];
        private bool _isGivenUp;

        public void OnLanded(CommitResult result, HostFence fence)
        {
            var tasks = claimer.Take((WorkClaimed)result.Answer!, fence, agentReader);
            lock (_lock)
            {
                if (!_isGivenUp)
                {
                    _landed = tasks;
                    return;
                }
            }

            claimer.StartLater(tasks);
        }

        internal void Start(bool mayHaveMissedNews)
        {
            if (mayHaveMissedNews)
            {
                claimer.StartLater(_landed);
                return;
            }

            foreach (var task in _landed)
            {
                task.Start();
            }
        }

        internal void GiveUp()
        {
            lock (_lock)
            {
                _isGivenUp = true;
            }

            claimer.StartLater(_landed);
        }
    }

    private void StartLater(List<LiveTask> tasks)
    {
        foreach (var task in tasks)
        {
            Options.Scheduler.Queue(new LateStart(_core, task));
        }
    }

    /// <summary>Starts a task of which a cancel may have been told while nobody here knew it.</summary>
    private sealed class LateStart(ManagerCore core, LiveTask task) : IThreadPoolWorkItem
    {
        public void Execute() => _ = StartAsync();

        private async Task StartAsync()
        {
            await core.CatchUpAsync(task).ConfigureAwait(false);
            task.Start();
        }
    }
}
