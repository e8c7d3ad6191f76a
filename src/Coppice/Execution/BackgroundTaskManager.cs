using Microsoft.Extensions.Options;

namespace Coppice;

/// <summary>
/// Runs background tasks for the threads of AI agents: spawns them, names them, knows who spawned whom, carries mail, cancels branches,
/// and keeps all of it in an <see cref="ITaskStore"/>. Safe for concurrent use. Each manager is a host of its store.
/// </summary>
/// <remarks>
/// <para>
/// Every method checks, in this order, its arguments (<see cref="ArgumentException"/>), whether the manager is disposed
/// (<see cref="ObjectDisposedException"/>) and whether its token is cancelled (<see cref="OperationCanceledException"/>). Every failure of
/// the store is a <see cref="TaskStoreException"/>. A token gives a change up until the store's writer has it; from then on it is ignored.
/// </para>
/// <para>Source of the behaviour where nothing else is said: awaken-runtime 0.4.0, BackgroundTaskManager.</para>
/// </remarks>
public sealed partial class BackgroundTaskManager : IAsyncDisposable
{
    private readonly BackgroundTaskOptions _options;
    private readonly TaskCompletionSource<ManagerCore> _started;
    private readonly TaskCompletionSource _disposed;
    private int _disposals;
    private volatile bool _isDisposed;
    private volatile ManagerCore? _core;

    /// <summary>Creates a manager that has not started yet; what is asked of it waits for <see cref="StartOnAsync"/>.</summary>
    internal BackgroundTaskManager(BackgroundTaskOptions options)
    {
        _options = options.Clone();
        _disposed = _options.Scheduler.CreateSource();
        _started = new(_disposed.Task.CreationOptions);
        Rules = new TaskRules(_options);
    }

    /// <summary>Gets where the manager's time comes from.</summary>
    public TimeProvider TimeProvider => _options.TimeProvider;

    internal TaskRules Rules { get; }

    internal ManagerCore Core => _core ?? throw new InvalidOperationException("The manager has not started.");

    internal ManagerCore? StartedCore => _core;

    internal bool IsDisposed => _isDisposed;

    /// <summary>Joins a store as a host, settles what earlier hosts left behind (law 9), and is ready.</summary>
    /// <param name="store">The store. It is not disposed with the manager.</param>
    /// <param name="options">How to work; copied.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is <see langword="null"/>.</exception>
    /// <exception cref="OptionsValidationException">An option is out of its range; the message says which and what to change.</exception>
    /// <exception cref="TaskStoreException">The store failed.</exception>
    public static ValueTask<BackgroundTaskManager> StartAsync(
        ITaskStore store, BackgroundTaskOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        options ??= new BackgroundTaskOptions();
        BackgroundTaskOptionsValidator.ThrowIfInvalid(options);
        cancellationToken.ThrowIfCancellationRequested();

        var manager = new BackgroundTaskManager(options);
        return ManagerStart.Await(manager, options.Scheduler, manager.StartOnAsync(store, cancellationToken));
    }

    /// <summary>
    /// Refuses new tasks, signals every body, waits for them up to <see cref="BackgroundTaskOptions.ShutdownGracePeriod"/>, stores what
    /// ended and leaves the store. Shutting down is no cancel request; what does not end in time is an orphan for the next host.
    /// </summary>
    public ValueTask DisposeAsync() => ShutDownAsync(CancellationToken.None);

    /// <summary>Starts on a store. <see cref="ManagerCore.BeginNotifying"/> has to follow once the start has returned.</summary>
    internal async ValueTask StartOnAsync(ITaskStore store, CancellationToken cancellationToken)
    {
        var core = new ManagerCore(this, store, _options);
        _core = core;
        try
        {
            await core.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            FailStart(e);
            throw;
        }

        _started.TrySetResult(core);
    }

    /// <summary>The start failed: whoever waits for it gets the reason.</summary>
    internal void FailStart(Exception reason)
    {
        _core = null;
        _started.TrySetException(reason);
        _ = _started.Task.Exception;
    }

    internal async ValueTask ShutDownAsync(CancellationToken stop)
    {
        if (Interlocked.Increment(ref _disposals) > 1)
        {
            await _disposed.Task.ConfigureAwait(false);
            return;
        }

        try
        {
            _started.TrySetException(new ObjectDisposedException(nameof(BackgroundTaskManager)));
            if (_started.Task.IsCompletedSuccessfully)
            {
                await _started.Task.Result.ShutDownAsync(stop).ConfigureAwait(false);
            }
            else
            {
                _ = _started.Task.Exception;
            }
        }
        finally
        {
            _isDisposed = true;
            _disposed.TrySetResult();
        }
    }

    /// <summary>The started core, for a call whose arguments have been checked. Before the start it waits, and shares the start's failure.</summary>
    private ValueTask<ManagerCore> ReadyAsync(CancellationToken cancellationToken)
    {
        CheckUsable(cancellationToken);
        return _started.Task.IsCompletedSuccessfully
            ? ValueTask.FromResult(_started.Task.Result)
            : new ValueTask<ManagerCore>(_started.Task.WaitAsync(cancellationToken));
    }

    private void CheckUsable(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
