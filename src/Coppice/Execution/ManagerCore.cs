using System.Diagnostics;
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

    // How long a cancel waits for its signal to show on the tokens; it goes on by itself.
    private static readonly TimeSpan SignalShows = TimeSpan.FromMilliseconds(20);

    // How long a shutdown waits for a store that does not answer.
    private static readonly TimeSpan StoreAnswers = TimeSpan.FromSeconds(5);

    private readonly BackgroundTaskOptions _options;
    private readonly ILogger _logger;
    private readonly StoreGateway _gateway;
    private readonly WorkScheduler _scheduler;
    private readonly LiveTasks _live;
    private readonly TaskMetrics _metrics;
    private readonly TaskRunner _runner;
    private readonly HostSession _host;
    private readonly MessageKeeper _messages;
    private readonly MessageDispatcher? _dispatcher;
    private readonly WorkClaimer _claimer;
    private readonly UnreadMailNotifier _unreadMail;
    private readonly TaskWaiters _waiters;
    private readonly Watchers _watchers;
    private readonly ClosingGate _spawns;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _stopped = new();
    private IDisposable? _subscription;
    private volatile bool _isShuttingDown;

    internal ManagerCore(BackgroundTaskManager manager, ITaskStore store, BackgroundTaskOptions options)
    {
        _options = options;
        _scheduler = options.Scheduler;
        _live = new LiveTasks(_scheduler);
        _waiters = new TaskWaiters(_scheduler);
        _spawns = new ClosingGate(_scheduler);
        _logger = options.LoggerFactory.CreateLogger("Coppice.BackgroundTaskManager");
        _metrics = new TaskMetrics(options.MeterFactory, options.TimeProvider, () => _live.Count, CountMail);
        _gateway = new StoreGateway(store, options, _metrics, _logger);
        _host = new HostSession(_gateway, _live, options, _logger);
        _messages = new MessageKeeper(_gateway, _host, options, _metrics, _logger);
        _host.OnBeat = OnBeatAsync;
        if (options.MessageTransport is not null)
        {
            _dispatcher = new MessageDispatcher(
                _gateway, _host, _messages, options, manager.Rules, _metrics, _logger, _stopping.Token, _stopped.Token);
        }

        _unreadMail = new UnreadMailNotifier(options.OnUnreadMail, _scheduler, _logger, _stopping.Token);
        _runner = new TaskRunner(this, manager, _gateway, _live, _metrics, options, _logger, _stopped.Token);
        _claimer = new WorkClaimer(this, _runner, _host, _gateway, options, _metrics, _logger, _stopping.Token);
        Mailroom = new Mailroom(_gateway, _host, _runner, _unreadMail, manager.Rules, options, _logger);
        _watchers = new Watchers(options.MaxWatchBacklog, _scheduler);
    }

    public bool WantsChanges => _watchers.Any;

    internal Mailroom Mailroom { get; }

    internal ITaskStore Store => _gateway.Store;

    internal WorkScheduler Scheduler => _scheduler;

    internal HostFence Fence => _host.Fence;

    internal int LiveCount => _live.Count;

    internal bool IsShuttingDown => _isShuttingDown;

    internal bool IsGivenUp(HostFence fence) => _host.IsGivenUp(fence);

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

    /// <summary>
    /// Makes the task of a body, before what the store is told of it: what lasts and what is gone in a moment lie apart in memory then, which
    /// the collector is quicker with.
    /// </summary>
    internal LiveTask Prepare(TaskBody body, bool isBlocking) => new(_runner, body, isBlocking);

    internal async ValueTask<string> SpawnAsync(LiveTask task, AddTask add, CancellationToken cancellationToken)
    {
        if (!_spawns.TryEnter())
        {
            throw new SpawnException(SpawnError.ShuttingDown, "The manager is shutting down and takes no new tasks.");
        }

        try
        {
            ThrowIfParentIsCancelled(add);
            task.Describe(add);
            if (await LandAsync(task, add, cancellationToken).ConfigureAwait(false))
            {
                await CatchUpAsync(task).ConfigureAwait(false);
            }

            task.Start();
            return task.TaskId;
        }
        finally
        {
            _spawns.Exit();
        }
    }

    /// <summary>Stores a task of a registered kind, which runs once a host has claimed it.</summary>
    internal async ValueTask<TaskAdded> SpawnWorkAsync(AddTask add, CancellationToken cancellationToken)
    {
        if (!_spawns.TryEnter())
        {
            throw new SpawnException(SpawnError.ShuttingDown, "The manager is shutting down and takes no new tasks.");
        }

        var landing = new WorkLanding(_runner, _scheduler, hasKey: add.Work?.IdempotencyKey is not null);
        try
        {
            ThrowIfParentIsCancelled(add);
            var spawn = _host.CommitAsync("spawn", add, landing, cancellationToken);
            if (!spawn.IsCompleted && add.Work is { DueAt: null } work)
            {
                _claimer.Expect(work.Kind);
            }

            var result = await spawn.ConfigureAwait(false);
            if (result.Answer is AddRefused refused)
            {
                throw Refusal(refused.Error, add);
            }

            _metrics.Spawned();
            var added = (TaskAdded)result.Answer!;
            Log.TaskSpawned(_logger, added.TaskId, add.OwnerThreadId);
            return added;
        }
        catch (TaskStoreException)
        {
            // Where it landed while its failure was on the way, what was stored runs.
            if (landing.GiveUp() is { } landed)
            {
                return landed;
            }

            throw;
        }
        finally
        {
            _spawns.Exit();
        }
    }

    /// <summary>Makes room for other tasks while the body that is executing waits; <see langword="null"/> where no such body is.</summary>
    internal IDisposable? Park() => (TaskContext.CurrentOn(_runner.Manager) as DurableTaskContext)?.Park();

    /// <summary>Requests a cancellation, and tells which live tasks it reached.</summary>
    internal async ValueTask<IReadOnlyList<string>> CancelAsync(RequestCancel cancel, CancellationToken cancellationToken)
    {
        CommitResult result;
        try
        {
            result = await _host.CommitAsync("cancel", cancel, null, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskStoreException)
        {
            foreach (var task in _live.CoveredBy(cancel))
            {
                task.SignalUnstored(cancel.By);
            }

            throw;
        }

        var reached = ((CancelReached)result.Answer!).TaskIds;
        AwaitSignals(reached);
        return reached;
    }

    internal async Task<TaskSnapshot> WaitAsync(string taskId, CancellationToken cancellationToken)
    {
        using var parked = Park();
        while (true)
        {
            using var waiting = _waiters.Register(taskId);
            var task = await Store.GetAsync(taskId, cancellationToken).ConfigureAwait(false)
                ?? throw new KeyNotFoundException($"There is no task '{taskId}'.");
            if (task.State.IsTerminal())
            {
                return task;
            }

            await waiting.Ended.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for tasks that are to stop, all of them together for as long as the grace, and tells what became of each.</summary>
    internal async ValueTask<StopReport> WatchStopAsync(IReadOnlyList<string> taskIds, TimeSpan grace, CancellationToken cancellationToken)
    {
        var startedAt = _options.TimeProvider.GetTimestamp();
        var stopped = new List<StoppedTask>(taskIds.Count);
        foreach (var taskId in taskIds)
        {
            var task = await WaitAsync(taskId, startedAt, grace, cancellationToken).ConfigureAwait(false);
            if (task is not null)
            {
                stopped.Add(new StoppedTask(taskId, OutcomeOf(task.State), task.State));
            }
        }

        return new StopReport(stopped);
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

    internal async ValueTask<T> CommitAsync<T>(string operation, Mutation mutation, CancellationToken cancellationToken)
        where T : MutationAnswer
    {
        var result = await _host.CommitAsync(operation, mutation, null, cancellationToken).ConfigureAwait(false);
        return (T)result.Answer!;
    }

    internal async ValueTask<SendReceipt> SendAsync(SendMessage send, CancellationToken cancellationToken) =>
        await CommitAsync<MutationAnswer>("send", send, cancellationToken).ConfigureAwait(false) is SendRefused refused
            ? refused.Receipt
            : new SendReceipt(SendResult.Delivered, null);

    internal async ValueTask<PostReceipt> PostAsync(string toThreadId, ThreadMessage message, bool isCarried, CancellationToken cancellationToken) =>
        await PostAsync(
            isCarried
                ? new PostToOutbox(toThreadId, message, _options.MessageIdMemory)
                : new PostMessage(toThreadId, message) { MaxUnread = _options.MaxUnreadMessages, KeepIdFor = _options.MessageIdMemory },
            message,
            isCarried ? "outbox" : "mailbox",
            cancellationToken).ConfigureAwait(false);

    internal ValueTask<PostReceipt> DeliverAsync(string toThreadId, ThreadMessage message, CancellationToken cancellationToken) => PostAsync(
        new PostMessage(toThreadId, message)
        {
            MaxUnread = _options.MaxUnreadMessages, KeepIdFor = _options.MessageIdMemory, IsDelivery = true,
        },
        message,
        "mailbox",
        cancellationToken);

    internal async ValueTask<ReplayResult> ReplayAsync(string threadId, IReadOnlyCollection<long>? numbers, CancellationToken cancellationToken)
    {
        var replayed = await CommitAsync<MessagesReplayed>(
            "replay_messages",
            new ReplayFailedMessages(
                threadId, numbers, _options.MessageIdMemory, MessageIds.ExpiryAfter(_options.MessageTimeToLive, _options.TimeProvider),
                _options.MaxUnreadMessages),
            cancellationToken).ConfigureAwait(false);
        _dispatcher?.Look();
        return new ReplayResult(replayed.Count, replayed.Left);
    }

    /// <summary>Law 13: signals every body, waits for them up to the grace period or the stop token, and leaves the store.</summary>
    internal async ValueTask ShutDownAsync(CancellationToken stop)
    {
        _isShuttingDown = true;
        _ = _scheduler.CancelAsync(_stopping);
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

        await _scheduler.CancelAsync(_stopped).ConfigureAwait(false);

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

    public void OnEnded(string taskId) => _waiters.Ended(taskId);

    public void OnMail(string threadId, bool wakes, bool hasReader) => Mailroom.OnMail(threadId, wakes, hasReader);

    public void OnMailboxOpened(string threadId, Guid reader) => Mailroom.OnOpened(threadId, reader);

    public void OnMailLeftUnread(string threadId) => Mailroom.OnLeftUnread(threadId);

    public void OnWork(string kind, DateTimeOffset? at) => _claimer.OnWork(kind, at);

    public void OnHostFenced(HostFence fence)
    {
        _host.OnFenced(fence);
        _dispatcher?.OnFenced(fence);
    }

    private async ValueTask<PostReceipt> PostAsync(Mutation post, ThreadMessage message, string box, CancellationToken cancellationToken)
    {
        if (await CommitAsync<MutationAnswer>("post", post, cancellationToken).ConfigureAwait(false) is PostRefused refused)
        {
            return new PostReceipt("", refused.Result);
        }

        _metrics.MessagePosted(box);
        if (post is PostToOutbox)
        {
            _dispatcher?.Look();
        }

        return new PostReceipt(message.MessageId, PostResult.Accepted);
    }

    /// <summary>A cancel that the store could not be told counts here all the same.</summary>
    private void ThrowIfParentIsCancelled(AddTask add)
    {
        if (add.Lineage.TaskId is { } parentId && _live.TryGet(parentId, out var parent) && parent.UnstoredCancel is not null)
        {
            throw Refusal(SpawnError.ParentCancelled, add);
        }
    }

    private static SpawnException Refusal(SpawnError error, AddTask add) => new(error, error switch
    {
        SpawnError.DuplicateName =>
            $"A live task of thread '{add.OwnerThreadId}' is named '{add.Name}' already. Choose another name, or wait until it ends.",
        SpawnError.ParentCancelled =>
            $"The cancellation of the parent task '{add.Lineage.TaskId}' was requested, so it gets no new children.",
        SpawnError.TooDeep =>
            $"The tree of tasks would be deeper than MaxDepth, which is {add.MaxDepth}. Spawn from a task higher up.",
        SpawnError.ContinuesUnknown =>
            $"Thread '{add.OwnerThreadId}' has no agent task '{add.Continues}' to continue. Name one of its ended agents, or spawn a new one.",
        SpawnError.IdempotencyKeyReused =>
            $"A task of thread '{add.OwnerThreadId}' that is of another kind than '{add.Work?.Kind}' has the idempotency key '{add.Work?.IdempotencyKey}'. "
            + "Use a key once for one piece of work.",
        SpawnError.AgentBusy =>
            $"The thread of agent task '{add.Continues}' has a live agent. Send that one a message, or wait until it ends.",
        _ => "The task was refused.",
    });

    private static StopOutcome OutcomeOf(TaskState state) => state switch
    {
        TaskState.Cancelled => StopOutcome.Stopped,
        TaskState.Completed or TaskState.Failed => StopOutcome.FinishedFirst,
        _ => StopOutcome.StillRunning,
    };

    /// <summary>The task once it has ended, or as it is when the grace is over; <see langword="null"/> when it was forgotten.</summary>
    private async ValueTask<TaskSnapshot?> WaitAsync(string taskId, long startedAt, TimeSpan grace, CancellationToken cancellationToken)
    {
        while (true)
        {
            using var waiting = _waiters.Register(taskId);
            var task = await Store.GetAsync(taskId, cancellationToken).ConfigureAwait(false);
            var left = grace - _options.TimeProvider.GetElapsedTime(startedAt);
            if (task is null || task.State.IsTerminal() || left <= TimeSpan.Zero)
            {
                return task;
            }

            try
            {
                await waiting.Ended.WaitAsync(left, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // One more look tells how it stands at the end.
            }
        }
    }

    /// <summary>Stores a new task. Tells whether its answer came late, after news of the task may have.</summary>
    private async ValueTask<bool> LandAsync(LiveTask task, AddTask add, CancellationToken cancellationToken)
    {
        try
        {
            var result = await _host.CommitAsync("spawn", add, task, cancellationToken).ConfigureAwait(false);
            return result.Answer is AddRefused refused ? throw Refusal(refused.Error, add) : result.WasFound;
        }
        catch (Exception) when (!task.TryAbandon())
        {
            // It landed while its failure was on the way: what was stored runs.
            return true;
        }
    }

    /// <summary>A cancel that was told while nobody here knew the task yet stands in the store.</summary>
    internal async ValueTask CatchUpAsync(LiveTask task)
    {
        var stored = await _gateway.ReadAsync(task.TaskId).ConfigureAwait(false);
        if (stored?.CancelRequestedAt is not null)
        {
            task.Signal(StopReason.Cancel);
        }
    }

    private void AwaitSignals(IReadOnlyList<string> taskIds)
    {
        if (!_scheduler.CanStandStill)
        {
            return;
        }

        var deadline = Stopwatch.GetTimestamp() + (long)(SignalShows.TotalSeconds * Stopwatch.Frequency);
        foreach (var taskId in taskIds)
        {
            if (_live.TryGet(taskId, out var task))
            {
                task.AwaitSignal(deadline);
            }
        }
    }

    private async ValueTask OnBeatAsync()
    {
        _dispatcher?.OnBeat();
        _claimer.OnBeat();
        await _messages.SweepAsync().ConfigureAwait(false);
    }

    private async Task EndOfTasksAsync()
    {
        var unsent = _dispatcher?.StopAsync() ?? Task.CompletedTask;
        var claimed = _claimer.StopAsync();
        await _spawns.CloseAsync().ConfigureAwait(false);
        await claimed.ConfigureAwait(false);
        await _live.WhenEmptyAsync().ConfigureAwait(false);
        await unsent.ConfigureAwait(false);
    }

    /// <summary>Gives the work back of bodies that have not ended in time, where another host may go on with it.</summary>
    private Task HandBackAsync() => Task.WhenAll(
        _live.All.Where(static task => task.Attempt is { } attempt && AttemptVerdict.MayGoOn(attempt)).Select(task => _runner.AbandonAsync(task, task.Attempt!)));

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
