using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>A task whose body runs here: what cannot be stored of it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Release disposes of the token source, unless it was signalled: then callbacks may be running.")]
internal sealed class LiveTask : IThreadPoolWorkItem, ICommitObserver
{
    private const byte Undecided = 0;
    private const byte Landed = 1;
    private const byte Abandoned = 2;

    // There may be a million of these at once: what few of them need is in one object apart.
    private readonly TaskRunner _runner;
    private readonly bool _isBlocking;
    private long _epoch;
    private TaskBody? _body;
    private CancellationTokenSource? _source;
    private TaskCompletionSource? _whenCancelled;
    private Extras? _extras;
    private bool _isSignalled;
    private bool _hasEnded;
    private byte _fate;

    internal LiveTask(TaskRunner runner, TaskBody body, bool isBlocking)
    {
        _runner = runner;
        _body = body;
        _isBlocking = isBlocking;
    }

    internal string TaskId { get; private set; } = "";

    internal HostFence Fence => new(_runner.HostId, _epoch);

    /// <summary>Gets the attempt at a task of a registered kind; <see langword="null"/> where the body was given with the spawn.</summary>
    internal TaskAttempt? Attempt => Volatile.Read(ref _extras)?.Attempt;

    /// <summary>Gets the claim that every write carries.</summary>
    internal long Claim => Attempt?.Claim ?? 0;

    /// <summary>Gets an agent's inbox.</summary>
    internal Inbox? Inbox => Volatile.Read(ref _extras)?.Inbox;

    internal string OwnerThreadId { get; private set; } = "";

    internal TaskLineage Lineage { get; private set; } = TaskLineage.None;

    /// <summary>Gets where the task comes from, when somebody listened as it was spawned.</summary>
    internal TaskOrigin? Origin => Volatile.Read(ref _extras)?.Origin;

    /// <summary>The next in the chain of <see cref="LiveTasks"/>, which guards it.</summary>
    internal LiveTask? NextLive;

    /// <summary>The hash of the id, for <see cref="LiveTasks"/>.</summary>
    internal uint Hash;

    internal bool IsSignalled => Volatile.Read(ref _isSignalled);

    /// <summary>Gets who requested the cancellation while the store could not be told, or <see langword="null"/>.</summary>
    internal string? UnstoredCancel => Volatile.Read(ref _extras)?.UnstoredCancel;

    internal CancellationToken Token
    {
        get
        {
            lock (this)
            {
                if (_source is null)
                {
                    _source = new CancellationTokenSource();
                    if (_isSignalled || _hasEnded)
                    {
                        // Nobody can have registered a callback yet.
                        _source.Cancel();
                    }
                }

                return _source.Token;
            }
        }
    }

    /// <summary>Takes what the store is about to be told of it.</summary>
    internal void Describe(AddTask task)
    {
        OwnerThreadId = task.OwnerThreadId;
        Lineage = task.Lineage;
        if (task.AgentThreadId is not null)
        {
            NeedExtras().Inbox = _runner.Mailroom.Prepare(task.AgentThreadId, task.AgentReader);
        }

        if (TaskActivities.AreWanted)
        {
            NeedExtras().Origin = new TaskOrigin(task.Type, Activity.Current);
        }
    }

    /// <summary>Takes what the store has told of it, with the claim.</summary>
    internal void Describe(TaskAttempt attempt, Guid agentReader)
    {
        var task = attempt.Claimed.Task;
        OwnerThreadId = task.OwnerThreadId;
        Lineage = task.Lineage;
        var extras = NeedExtras();
        extras.Attempt = attempt;
        attempt.Live = this;
        if (task.AgentThreadId is not null)
        {
            extras.Inbox = _runner.Mailroom.Prepare(task.AgentThreadId, agentReader);
        }

        if (TaskActivities.AreWanted)
        {
            extras.Origin = new TaskOrigin(task.Type, null);
        }
    }

    /// <summary>Gives the task up because its commit failed; not if it has landed in the meantime.</summary>
    internal bool TryAbandon()
    {
        if (Interlocked.CompareExchange(ref _fate, Abandoned, Undecided) != Undecided)
        {
            return false;
        }

        _body = null;
        return true;
    }

    /// <summary>Takes the id that the store gave, before anybody else can know it. False when the task was given up before.</summary>
    internal bool TryLand(string taskId, long epoch)
    {
        TaskId = taskId;
        _epoch = epoch;
        return Interlocked.CompareExchange(ref _fate, Landed, Undecided) == Undecided;
    }

    internal void Start()
    {
        if (_isBlocking)
        {
            _runner.Scheduler.QueueBlocking(this, "Coppice task " + TaskId);
        }
        else
        {
            _runner.Scheduler.Queue(this);
        }
    }

    void ICommitObserver.OnLanded(CommitResult result, HostFence fence) =>
        _runner.Intake.TakeSpawned(this, ((TaskAdded)result.Answer!).TaskId, fence);

    public void Execute() => _ = _runner.RunAsync(this);

    /// <summary>
    /// Makes what the body's code sees of its task. It is not kept here: a task that has waited long is old to the collector, and a young
    /// object in it would have to be looked for at every collection.
    /// </summary>
    internal AmbientTask CreateAmbient()
    {
        var agent = Inbox is { } inbox ? new AgentTaskContext(_runner.Manager, TaskId, OwnerThreadId, this, inbox) : null;
        var context = Attempt is { } attempt
            ? new DurableTaskContext(_runner, this, attempt, agent)
            : agent ?? new TaskContext(_runner.Manager, TaskId, OwnerThreadId, this);
        return new AmbientTask(TaskId, OwnerThreadId, _runner.Identity, context);
    }

    /// <summary>Starts the body, once. From here on the code that executes counts as this task.</summary>
    internal Task StartBody(AmbientTask ambient, out TaskBody body)
    {
        body = Interlocked.Exchange(ref _body, null) ?? throw new UnreachableException();
        ambient.Enter();
        return body.Start(ambient.Context!);
    }

    /// <summary>Cancels the token. Its callbacks run apart, so this returns at once.</summary>
    internal void Signal(StopReason reason)
    {
        Attempt?.Note(reason);
        CancellationTokenSource? source;
        TaskCompletionSource? waiting;
        lock (this)
        {
            if (_isSignalled || _hasEnded)
            {
                return;
            }

            _isSignalled = true;
            source = _source;
            waiting = _whenCancelled;
        }

        _runner.Scheduler.OnSignalled(this);
        if (waiting is not null)
        {
            _runner.Scheduler.Complete(waiting);
        }

        if (source is not null)
        {
            _runner.Scheduler.Cancel(source, TaskId, _runner.Logger);
        }
    }

    /// <summary>Signals, and keeps who asked for it until it can be stored with the task's end.</summary>
    internal void SignalUnstored(string by)
    {
        lock (this)
        {
            NeedExtras().UnstoredCancel ??= by;
        }

        Signal(StopReason.Cancel);
    }

    /// <summary>Waits a moment until the signal shows on the token, so that who asked for the cancel can see it.</summary>
    internal void AwaitSignal(long deadline)
    {
        var source = Volatile.Read(ref _source);
        var wait = default(SpinWait);
        while (source is { IsCancellationRequested: false } && !Volatile.Read(ref _hasEnded) && Stopwatch.GetTimestamp() < deadline)
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    internal Task WhenCancelledAsync()
    {
        lock (this)
        {
            if (_isSignalled || _hasEnded)
            {
                return Task.CompletedTask;
            }

            return _runner.Scheduler.WaitFor(_whenCancelled ??= _runner.Scheduler.CreateSource());
        }
    }

    internal bool Emit(CustomTaskEvent custom)
    {
        EventQueue events;
        lock (this)
        {
            if (_hasEnded)
            {
                return false;
            }

            events = NeedExtras().Events ??= _runner.CreateEvents(this);
        }

        if (!events.TryAdd(custom))
        {
            return false;
        }

        _runner.Scheduler.OnEmitted(this, custom);
        return true;
    }

    internal void CloseInbox() => _runner.Mailroom.CloseToMessages(this);

    /// <summary>Ends the queue of events. From here on nothing is accepted.</summary>
    internal ValueTask<(int First, IReadOnlyList<CustomTaskEvent> Events)> SealEventsAsync()
    {
        EventQueue? events;
        lock (this)
        {
            _hasEnded = true;
            events = _extras?.Events;
        }

        return events?.SealAsync() ?? ValueTask.FromResult((0, (IReadOnlyList<CustomTaskEvent>)[]));
    }

    /// <summary>Lets go of everything, wherever the context was captured.</summary>
    internal void Release()
    {
        TaskCompletionSource? waiting;
        CancellationTokenSource? unsignalled;
        lock (this)
        {
            _hasEnded = true;
            unsignalled = _isSignalled ? null : _source;
            _source = null;
            if (_extras is not null)
            {
                _extras.Events = null;
            }

            (waiting, _whenCancelled) = (_whenCancelled, null);
        }

        // Whoever keeps the token would keep what was registered on it. A source that was signalled lets go by itself.
        unsignalled?.Dispose();

        // Code that the body left behind may wait for it still.
        if (waiting is not null)
        {
            _runner.Scheduler.Complete(waiting);
        }
    }

    private Extras NeedExtras()
    {
        if (_extras is null)
        {
            Volatile.Write(ref _extras, new Extras());
        }

        return _extras;
    }

    private sealed class Extras
    {
        internal Inbox? Inbox;
        internal TaskAttempt? Attempt;
        internal TaskOrigin? Origin;
        internal EventQueue? Events;
        internal volatile string? UnstoredCancel;
    }
}
