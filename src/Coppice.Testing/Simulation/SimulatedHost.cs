using System.Diagnostics.CodeAnalysis;

namespace Coppice.Testing;

/// <summary>
/// A host of a simulation: a process with a manager, its own clock and its own way to the store. What a caller inside that process does
/// belongs into <see cref="RunAsync(Func{BackgroundTaskManager, Task})"/>, so that it goes with the process.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The simulated store has nothing to dispose of.")]
public sealed class SimulatedHost
{
    private readonly SimulationLoop _loop;
    private readonly Recorder _recorder;
    private readonly SimulatedProcess _process;
    private readonly SimulatedProcess _scenario;
    private readonly SimulatedStore _store;
    private readonly List<Call> _calls = [];
    private readonly Announcement _ended;
    private BackgroundTaskManager? _manager;
    private Task? _disposal;

    internal SimulatedHost(HistoryRun run, SimulatedProcess process, int number)
    {
        _loop = run.Loop;
        _recorder = run.Recorder;
        _process = process;
        _scenario = run.Scenario;
        _store = new SimulatedStore(run.Shared, _loop, process, run.Wire, run.Trouble, Die);
        _ended = new Announcement(_loop, _scenario);
        Time = new SimulatedClock(_loop, process);
        Options = new BackgroundTaskOptions
        {
            HostName = process.Name,
            TimeProvider = Time,
            MeterFactory = run.Meters,
            LoggerFactory = new SimulatedLog(_recorder, process),
            Scheduler = new SimulatedScheduler(_loop, process, _recorder, number),
        };
    }

    /// <summary>Gets its name. Each host has one of its own.</summary>
    public string Name => _process.Name;

    /// <summary>Gets its clock. Delays by it stop when the host does.</summary>
    public TimeProvider Time { get; }

    /// <summary>Gets whether its process lives, be it paused or not.</summary>
    public bool IsAlive => !_process.IsDead && _disposal is not { IsCompleted: true };

    /// <summary>Gets whether it stands still.</summary>
    public bool IsPaused => _process.State == ProcessState.Paused;

    /// <summary>Gets what completes when the host has crashed or has shut down.</summary>
    public Task Ended => _ended.WaitAsync();

    /// <summary>
    /// Gets the manager. What is awaited of it directly never ends when the host crashes; inside
    /// <see cref="RunAsync(Func{BackgroundTaskManager, Task})"/> the caller is told.
    /// </summary>
    public BackgroundTaskManager Manager => _manager ?? throw new InvalidOperationException("The host has not started.");

    internal BackgroundTaskOptions Options { get; }

    internal SimulatedProcess Process => _process;

    internal SimulatedStore Store => _store;

    internal bool HasCrashed { get; private set; }

    internal bool HasStarted => _manager is not null;

    internal bool IsDisposing => _disposal is not null;

    internal bool IsDisposed => _disposal is { IsCompleted: true };

    internal TimeSpan LongestShutdown => Options.ShutdownGracePeriod + TimeSpan.FromSeconds(15);

    /// <summary>Gets the calls that have neither ended nor gone with the process.</summary>
    internal IEnumerable<string> OpenCalls => _calls.Where(call => !call.IsDone).Select(call => call.What);

    /// <summary>Runs code of a caller inside the host's process.</summary>
    /// <param name="work">The code. It runs a step later, and must not leave the simulation's thread.</param>
    /// <exception cref="SimulatedHostCrashedException">The host crashed first. How far the code came cannot be known from here.</exception>
    public Task RunAsync(Func<BackgroundTaskManager, Task> work) => RunAsync("call", work);

    /// <summary>Runs code of a caller inside the host's process.</summary>
    /// <typeparam name="T">What it finds out.</typeparam>
    /// <param name="work">The code. It runs a step later, and must not leave the simulation's thread.</param>
    /// <exception cref="SimulatedHostCrashedException">The host crashed first. How far the code came cannot be known from here.</exception>
    public async Task<T> RunAsync<T>(Func<BackgroundTaskManager, Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        T? found = default;
        await RunAsync("call", async manager => found = await work(manager).ConfigureAwait(false)).ConfigureAwait(false);
        return found!;
    }

    /// <summary>Kills the process: none of its code runs again, and what it had sent to the store may have got through or not.</summary>
    public void Crash() => Soon(() => Die("as the scenario wants it"));

    /// <summary>Kills the process at a commit to come.</summary>
    /// <param name="commit">Which, counting from 1 for the next that is handed to the store.</param>
    /// <param name="moment">Where in the commit.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="commit"/> is under 1.</exception>
    public void CrashAtCommit(int commit, CrashMoment moment)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(commit, 1);
        _store.CrashPoint = new CrashPoint(commit, moment);
    }

    /// <summary>Lets the process stand still while time and the others go on. What it had sent to the store may have got through.</summary>
    public void Pause() => Soon(() =>
    {
        if (_process.IsRunning && !IsDisposed)
        {
            _recorder.Add(new HostPaused(_process));
            _process.State = ProcessState.Paused;
            _store.CutOff();
        }
    });

    /// <summary>Lets the process go on; everything that was due in the meantime comes late.</summary>
    public void Resume()
    {
        if (IsPaused)
        {
            _process.State = ProcessState.Running;
            _recorder.Add(new HostResumed(_process));
        }
    }

    /// <summary>Shuts the manager down, as <see cref="BackgroundTaskManager.DisposeAsync"/> does.</summary>
    /// <exception cref="SimulatedHostCrashedException">The host crashed first.</exception>
    public Task ShutDownAsync()
    {
        if (_disposal is not null)
        {
            return _ended.WaitAsync();
        }

        _disposal = ShutDownOnceAsync();
        return _disposal;
    }

    private Task ShutDownOnceAsync() => RunAsync("shutdown", async manager =>
    {
        _recorder.Add(new HostDisposing(_process));
        await manager.DisposeAsync().ConfigureAwait(false);
        _recorder.Add(new HostDisposed(_process));
        _ended.Make();
    });

    internal async Task StartAsync(CancellationToken cancellationToken = default)
    {
        _recorder.Add(new HostStarting(_process, Options.OnUnreadMail is not null));
        await RunAsync("start", async _ =>
        {
            var manager = await BackgroundTaskManager.StartAsync(_store, Options, cancellationToken).ConfigureAwait(false);
            _manager = manager;
            _recorder.Add(new HostStarted(_process));
        }).ConfigureAwait(false);
    }

    /// <summary>A start that failed leaves no process behind.</summary>
    internal void GiveUp(Exception reason)
    {
        _recorder.Add(new HostFailedToStart(_process, reason));
        _loop.Bury(_process);
        _ended.Make();
    }

    private Task RunAsync(string what, Func<BackgroundTaskManager, Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        var call = new Call(what, new TaskCompletionSource());
        if (_process.IsDead)
        {
            return Task.FromException(new SimulatedHostCrashedException(Name));
        }

        _calls.Add(call);
        _loop.Post(_process, what, () => _ = RunAsync(call, work));
        return call.Done.Task;
    }

    private async Task RunAsync(Call call, Func<BackgroundTaskManager, Task> work)
    {
        Exception? failure = null;
        try
        {
            await work(_manager!).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            failure = e;
        }

        if (!_loop.IsInside(call.What) || _process.IsDead || call.IsDone)
        {
            return;
        }

        call.IsDone = true;
        _calls.Remove(call);
        _loop.Post(_scenario, "end of " + call.What, () => call.Complete(failure));
    }

    private void Die(string why)
    {
        if (_process.IsDead)
        {
            return;
        }

        HasCrashed = true;
        _recorder.Add(new HostCrashed(_process, why));
        _store.CutOff();
        _loop.Bury(_process);
        foreach (var call in _calls.Where(call => !call.IsDone).ToList())
        {
            call.IsDone = true;
            _loop.Post(_scenario, "end of " + call.What, () => call.Complete(new SimulatedHostCrashedException(Name)));
        }

        _calls.Clear();
        _ended.Make();
    }

    /// <summary>Not under the feet of the host's own code, should that be what asks for it.</summary>
    private void Soon(Action action)
    {
        _loop.CheckThread("SimulatedHost");
        if (_loop.Current == _process)
        {
            _loop.Post(_scenario, "host", action);
        }
        else
        {
            action();
        }
    }

    private sealed class Call(string what, TaskCompletionSource done)
    {
        internal string What => what;

        internal TaskCompletionSource Done => done;

        internal bool IsDone { get; set; }

        internal void Complete(Exception? failure)
        {
            switch (failure)
            {
                case null:
                    done.TrySetResult();
                    break;
                case OperationCanceledException cancelled:
                    done.TrySetCanceled(cancelled.CancellationToken);
                    break;
                default:
                    done.TrySetException(failure);
                    break;
            }
        }
    }
}
