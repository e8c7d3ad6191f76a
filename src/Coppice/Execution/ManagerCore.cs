using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>What a manager consists of once it has a store.</summary>
[SuppressMessage("Design", "CA1001", Justification = "ShutDownAsync disposes of what it owns.")]
internal sealed class ManagerCore : ITaskStoreListener
{
    private const int FirstPage = 256;
    private const int LastPage = 65_536;

    // How long a shutdown waits for a store that does not answer.
    private static readonly TimeSpan StoreAnswers = TimeSpan.FromSeconds(5);

    private readonly BackgroundTaskManager _manager;
    private readonly BackgroundTaskOptions _options;
    private readonly ILogger _logger;
    private readonly StoreGateway _gateway;
    private readonly HostSession _host;
    private readonly LiveTasks _live;
    private readonly TaskMetrics _metrics;
    private readonly TaskRunner _runner;
    private readonly WorkClaimer _claimer;
    private readonly MessageKeeper _messageKeeper;
    private readonly MessageDispatcher? _dispatcher;
    private readonly UnreadMailNotifier _unreadMail;
    private readonly TaskWaiters _waiters;
    private readonly Watchers _watchers;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _stopped = new();
    private IDisposable? _subscription;

    internal ManagerCore(BackgroundTaskManager manager, ITaskStore store, BackgroundTaskOptions options)
    {
        _manager = manager;
        _options = options;
        _waiters = new TaskWaiters(Scheduler);
        _live = new LiveTasks(Scheduler, _waiters);
        _watchers = new Watchers(options.MaxWatchBacklog, Scheduler);
        _logger = options.LoggerFactory.CreateLogger("Coppice.BackgroundTaskManager");
        _metrics = new TaskMetrics(options.MeterFactory, options.TimeProvider, () => _live.Count, CountMail);
        _gateway = new StoreGateway(store, options, _metrics, _logger);
        var patientStore = new PatientStore(_gateway, options, _logger, _stopped.Token);
        _host = new HostSession(_gateway, _live, _waiters, options, _logger) { OnBeat = OnBeatAsync, Metrics = _metrics };

        _messageKeeper = new MessageKeeper(_gateway, _host, options, _metrics, _logger);
        _dispatcher = options.MessageTransport is null ? null : new MessageDispatcher(
            _gateway, _host, _messageKeeper, options, manager.Rules, _metrics, _logger, _stopping.Token, _stopped.Token);
        _unreadMail = new UnreadMailNotifier(options.OnUnreadMail, Scheduler, _logger, _stopping.Token);
        Mailroom = new Mailroom(_gateway, patientStore, _host, _unreadMail, manager.Rules, options, _logger);
        Messages = new MessagePoster(_host, _dispatcher, options, _metrics);

        var ender = new TaskEnder(patientStore, _live, Mailroom, _metrics, options, _logger);
        var intake = new TaskIntake(_gateway, _host, _live, Mailroom, ender, _metrics, options, _logger, _stopping.Token, _stopped.Token);
        _runner = new TaskRunner(
            manager, _gateway, _host, Mailroom, intake, ender, new AttemptStore(patientStore), _metrics, options, _logger);
        _claimer = new WorkClaimer(_runner, intake, _host, _gateway, options, _metrics, _logger, _stopping.Token);
        Spawner = new TaskSpawner(_runner, intake, _claimer, _host, patientStore, _live, _metrics, Scheduler, _logger);
        Canceller = new TaskCanceller(_host, _live, _waiters, store, options);
    }

    public bool WantsChanges => _watchers.Any;

    public bool HandlesUnreadMail => _unreadMail.IsHandling;

    internal TaskSpawner Spawner { get; }

    internal TaskCanceller Canceller { get; }

    internal MessagePoster Messages { get; }

    internal Mailroom Mailroom { get; }

    internal ITaskStore Store => _gateway.Store;

    internal WorkScheduler Scheduler => _options.Scheduler;

    internal HostFence Fence => _host.Fence;

    internal int LiveCount => _live.Count;

    internal async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        _subscription = Store.Subscribe(this);
        try
        {
            await _host.JoinAsync(cancellationToken).ConfigureAwait(false);
            if (_unreadMail.IsWanted)
            {
                foreach (var threadId in await Store.ListThreadsWithUnreadMailAsync(cancellationToken).ConfigureAwait(false))
                {
                    _unreadMail.Notify(threadId);
                }
            }

            _host.StartBeating();
        }
        catch
        {
            _subscription.Dispose();
            throw;
        }
    }

    /// <summary>The start has returned.</summary>
    internal void BeginNotifying()
    {
        _unreadMail.Begin();
        _dispatcher?.Look();
        _claimer.Begin();
    }

    /// <summary>Makes room for other tasks while the body that is executing waits; <see langword="null"/> where no such body is.</summary>
    internal IDisposable? Park() => (TaskContext.CurrentOn(_manager) as DurableTaskContext)?.Park();

    internal async Task<TaskSnapshot> WaitAsync(string taskId, CancellationToken cancellationToken)
    {
        using var parked = Park();
        for (var isFirstLook = true; ; isFirstLook = false)
        {
            using var waiting = _waiters.Register(taskId);
            if (!isFirstLook || !_host.Runs(taskId))
            {
                var task = await Store.GetAsync(taskId, cancellationToken).ConfigureAwait(false)
                    ?? throw new KeyNotFoundException($"There is no task '{taskId}'.");
                if (task.State.IsTerminal())
                {
                    return task;
                }
            }

            await waiting.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    internal IAsyncEnumerable<TaskChange> WatchAsync(TaskQuery? query, CancellationToken cancellationToken) =>
        _watchers.WatchAsync(query, cancellationToken);

    internal async IAsyncEnumerable<TaskSnapshot> QueryAsync(TaskQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        TaskCursor? after = null;
        for (var size = FirstPage; ; size = Math.Min(size * 4, LastPage))
        {
            var page = await Store.ListAsync(query, after, size, cancellationToken).ConfigureAwait(false);
            foreach (var task in page)
            {
                yield return _options.Tasks.Explain(task);
            }

            if (page.Count < size)
            {
                yield break;
            }

            after = TaskCursor.After(page[^1]);
        }
    }

    internal ValueTask<T> CommitAsync<T>(string operation, Mutation mutation, CancellationToken cancellationToken)
        where T : MutationAnswer =>
        _host.CommitAsync<T>(operation, mutation, cancellationToken);

    /// <summary>Law 13: signals every body, waits for them up to the grace period or the stop token, and leaves the store.</summary>
    internal async ValueTask ShutDownAsync(CancellationToken stop)
    {
        _ = Scheduler.CancelAsync(_stopping);
        Log.ShuttingDown(_logger, _live.Count, (long)_options.ShutdownGracePeriod.TotalMilliseconds);
        foreach (var task in _live.All)
        {
            task.Signal(StopReason.Shutdown);
        }

        await WithinGraceAsync(EndOfTasksAsync(), _options.ShutdownGracePeriod, stop).ConfigureAwait(false);
        if (_live.Count > 0)
        {
            await WithinGraceAsync(HandBackAsync(), StoreAnswers, CancellationToken.None).ConfigureAwait(false);
            Log.ShutDownWithRunning(_logger, _live.Count);
        }

        await Scheduler.CancelAsync(_stopped).ConfigureAwait(false);

        // Before the store closes the mailboxes, or a reader would take it for another's opening.
        Mailroom.Dispose();
        await WithinGraceAsync(_host.LeaveAsync().AsTask(), StoreAnswers, CancellationToken.None).ConfigureAwait(false);
        await WithinGraceAsync(_gateway.CloseAsync(), StoreAnswers, CancellationToken.None).ConfigureAwait(false);
        _subscription?.Dispose();
        _waiters.End();
        _watchers.End();
        _metrics.Dispose();
        _stopped.Dispose();
    }

    public void OnChange(TaskChange change) => _watchers.Offer(change);

    public void OnCancelRequested(string taskId, long ownerEpoch)
    {
        if (_live.TryGet(taskId, out var task))
        {
            task.Signal(StopReason.Cancel);
        }
    }

    public void OnEnded(string taskId) => _waiters.Wake(taskId);

    public void OnMail(string threadId, bool wakes, bool hasReader) => Mailroom.OnMail(threadId, wakes, hasReader);

    public void OnMailboxOpened(string threadId, Guid reader, Guid? takenFrom) => Mailroom.OnOpened(threadId, takenFrom);

    public void OnMailLeftUnread(string threadId) => Mailroom.OnLeftUnread(threadId);

    public void OnWork(string kind, DateTimeOffset? at) => _claimer.OnWork(kind, at);

    public void OnHostFenced(HostFence fence)
    {
        _host.OnFenced(fence);
        _dispatcher?.OnFenced(fence);
    }

    public void OnEndsMissed() => _waiters.WakeOthers(_host.Runs);

    public void OnChangesMissed() => _watchers.Miss();

    private async ValueTask OnBeatAsync()
    {
        _dispatcher?.OnBeat();
        _claimer.OnBeat();
        await _messageKeeper.SweepAsync().ConfigureAwait(false);
    }

    private async Task EndOfTasksAsync()
    {
        var unsent = _dispatcher?.StopAsync() ?? Task.CompletedTask;
        var claimed = _claimer.StopAsync();
        await Spawner.StopAsync().ConfigureAwait(false);
        await claimed.ConfigureAwait(false);
        await _live.WhenEmptyAsync().ConfigureAwait(false);
        await unsent.ConfigureAwait(false);
    }

    /// <summary>Gives the work back of bodies that have not ended in time, where another host may go on with it.</summary>
    private Task HandBackAsync() => Task.WhenAll(
        _live.All.Where(static task => task.Attempt is { } attempt && AttemptVerdict.MayGoOn(attempt))
            .Select(task => _runner.AbandonAsync(task, task.Attempt!)));

    private async ValueTask WithinGraceAsync(Task work, TimeSpan grace, CancellationToken stop)
    {
        try
        {
            await work.WaitAsync(grace, _options.TimeProvider, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // What is not done by now is left to the next host.
        }
    }

    private long CountMail()
    {
        try
        {
            return Store.MailDepth;
        }
        catch (ObjectDisposedException)
        {
            return 0;
        }
    }
}
