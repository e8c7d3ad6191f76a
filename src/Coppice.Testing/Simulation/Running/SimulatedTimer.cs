namespace Coppice.Testing;

/// <summary>A timer of a process. When it is due its callback becomes a step; while one is still to be taken there is no second.</summary>
internal sealed class SimulatedTimer(SimulationLoop loop, SimulatedProcess process, TimerCallback callback, object? state) : ITimer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private TimeSpan _period;
    private WorkItem? _fallen;
    private CancellationTokenRegistration _registration;
    private bool _isDisposed;

    internal SimulatedProcess Process => process;

    internal long Due { get; set; }

    internal long Order { get; set; }

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        loop.CheckThread("ITimer.Change");
        if (_isDisposed)
        {
            return false;
        }

        Stop();
        _period = period > TimeSpan.Zero ? period : TimeSpan.Zero;
        if (dueTime >= TimeSpan.Zero && !process.IsDead)
        {
            loop.Arm(this, loop.Now + dueTime.Ticks);
        }

        return true;
    }

    /// <summary>It is due.</summary>
    internal void Fall()
    {
        if (_fallen is null)
        {
            _fallen = loop.Post(process, "timer", Fire);
        }

        if (_period > TimeSpan.Zero)
        {
            loop.Arm(this, Due + _period.Ticks);
        }
    }

    /// <summary>Takes a registration along, to be given up with the timer.</summary>
    internal void Attach(CancellationTokenRegistration registration) => _registration = registration;

    /// <summary>What waits by the timer was cancelled.</summary>
    internal void PostCancel(Action cancel)
    {
        Stop();
        loop.Post(process, "cancelled delay", cancel);
    }

    public void Dispose()
    {
        _isDisposed = true;
        _registration.Unregister();
        Stop();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Stop()
    {
        loop.Disarm(this);
        _fallen?.Withdraw();
        _fallen = null;
    }

    private void Fire()
    {
        _fallen = null;
        if (_context is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_context, _ => callback(state), null);
        }
    }
}
