using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>A task whose body runs here: what cannot be stored of it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Release disposes of the token source, unless it was signalled: then callbacks may be running.")]
internal sealed class LiveTask(TaskRunner runner, TaskBody body, AddTask task, bool isBlocking) : IThreadPoolWorkItem, ICommitObserver
{
    private const int Undecided = 0;
    private const int Landed = 1;
    private const int Abandoned = 2;

    private TaskBody? _body = body;
    private CancellationTokenSource? _source;
    private TaskCompletionSource? _parked;
    private EventQueue? _events;
    private bool _isSignalled;
    private bool _hasEnded;
    private string? _unstoredCancel;
    private AmbientTask? _ambient;
    private int _fate;

    internal string TaskId { get; private set; } = "";

    internal HostFence Fence { get; private set; }

    /// <summary>Gets an agent's inbox.</summary>
    internal Inbox? Inbox { get; private set; }

    internal string OwnerThreadId => task.OwnerThreadId;

    internal string Type => task.Type;

    internal TaskLineage Lineage => task.Lineage;

    internal string? AgentThreadId => task.AgentThreadId;

    internal Guid AgentReader => task.AgentReader;

    /// <summary>Gets the span that the task was spawned in, when somebody listens.</summary>
    internal Activity? SpawnedFrom { get; } = TaskActivities.Current();

    internal bool IsSignalled => Volatile.Read(ref _isSignalled);

    /// <summary>Gets who requested the cancellation while the store could not be told, or <see langword="null"/>.</summary>
    internal string? UnstoredCancel => Volatile.Read(ref _unstoredCancel);

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
    internal bool TryLand(string taskId, HostFence fence, Inbox? inbox)
    {
        TaskId = taskId;
        Fence = fence;
        Inbox = inbox;
        return Interlocked.CompareExchange(ref _fate, Landed, Undecided) == Undecided;
    }

    internal void Start()
    {
        if (isBlocking)
        {
            runner.Scheduler.QueueBlocking(this, "Coppice task " + TaskId);
        }
        else
        {
            runner.Scheduler.Queue(this);
        }
    }

    void ICommitObserver.OnLanded(CommitResult result, HostFence fence) => runner.Land(this, result, fence);

    public void Execute() => _ = runner.RunAsync(this);

    /// <summary>Runs the body, once. From here on the code that executes counts as this task.</summary>
    internal ValueTask<TaskOutcome?> RunBodyAsync()
    {
        var body = Interlocked.Exchange(ref _body, null) ?? throw new UnreachableException();
        var context = Inbox is null
            ? new TaskContext(runner.Manager, TaskId, OwnerThreadId, this)
            : new AgentTaskContext(runner.Manager, TaskId, OwnerThreadId, this, Inbox);
        _ambient = new AmbientTask(TaskId, OwnerThreadId, runner.Identity, context);
        _ambient.Enter();
        return body.RunAsync(context);
    }

    /// <summary>Cancels the token. Its callbacks run apart, so this returns at once.</summary>
    internal void Signal()
    {
        CancellationTokenSource? source;
        TaskCompletionSource? parked;
        lock (this)
        {
            if (_isSignalled || _hasEnded)
            {
                return;
            }

            _isSignalled = true;
            source = _source;
            parked = _parked;
        }

        if (parked is not null)
        {
            runner.Scheduler.Complete(parked);
        }

        if (source is not null)
        {
            runner.Scheduler.Cancel(source, TaskId, runner.Logger);
        }
    }

    /// <summary>Signals, and keeps who asked for it until it can be stored with the task's end.</summary>
    internal void SignalUnstored(string by)
    {
        Interlocked.CompareExchange(ref _unstoredCancel, by, null);
        Signal();
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

            return (_parked ??= runner.Scheduler.CreateSource()).Task;
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

            events = _events ??= runner.CreateEvents(this);
        }

        return events.TryAdd(custom);
    }

    internal void CloseInbox() => runner.CloseInbox(this);

    /// <summary>Ends the queue of events. From here on nothing is accepted.</summary>
    internal ValueTask<(int First, IReadOnlyList<CustomTaskEvent> Events)> SealEventsAsync()
    {
        EventQueue? events;
        lock (this)
        {
            _hasEnded = true;
            events = _events;
        }

        return events?.SealAsync() ?? ValueTask.FromResult((0, (IReadOnlyList<CustomTaskEvent>)[]));
    }

    /// <summary>Lets go of everything, wherever the context was captured.</summary>
    internal void Release()
    {
        TaskCompletionSource? parked;
        CancellationTokenSource? unsignalled;
        lock (this)
        {
            _hasEnded = true;
            unsignalled = _isSignalled ? null : _source;
            _source = null;
            _events = null;
            (parked, _parked) = (_parked, null);
        }

        // Whoever keeps the token would keep what was registered on it. A source that was signalled lets go by itself.
        unsignalled?.Dispose();

        // Code that the body left behind may park on it still.
        if (parked is not null)
        {
            runner.Scheduler.Complete(parked);
        }

        _ambient?.Release();
        _ambient = null;
    }
}
