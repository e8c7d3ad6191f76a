namespace Coppice.Testing;

/// <summary>
/// A clock that stands still until it is advanced. Timers fire in the order in which they are due, on the advancing thread, a periodic
/// one as often as its period fits; one that is due at once fires on the thread pool.
/// </summary>
public sealed class ManualClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _now;
    private DateTimeOffset _start;
    private TaskCompletionSource _armed = NewArmed();
    private long _order;

    /// <summary>Makes a clock that stands at some noon.</summary>
    public ManualClock()
        : this(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>Makes a clock.</summary>
    /// <param name="start">Where it stands.</param>
    public ManualClock(DateTimeOffset start) => _now = _start = start;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            return _now;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp() => (GetUtcNow() - _start).Ticks;

    /// <summary>Sets the clock, as somebody who corrects it does; timers and timestamps do not notice.</summary>
    /// <param name="by">How far; it may be backwards.</param>
    public void Adjust(TimeSpan by)
    {
        lock (_lock)
        {
            _now += by;
            _start += by;
            foreach (var timer in _timers)
            {
                timer.Due += by;
            }
        }
    }

    /// <summary>Lets time pass.</summary>
    /// <param name="by">How much, from zero.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var target = GetUtcNow() + by;
        while (TakeDue(target) is { } timer)
        {
            timer.Fire();
        }
    }

    /// <summary>Whether a timer fires within a time from now.</summary>
    /// <param name="time">The time.</param>
    public bool HasTimerWithin(TimeSpan time)
    {
        lock (_lock)
        {
            return _timers.Exists(timer => timer.Due <= _now + time);
        }
    }

    /// <summary>The next time that a timer is set, from this call on.</summary>
    public Task NextArmedAsync()
    {
        lock (_lock)
        {
            return _armed.Task;
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private static TaskCompletionSource NewArmed() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ManualTimer? TakeDue(DateTimeOffset target)
    {
        lock (_lock)
        {
            var due = _timers.Where(timer => timer.Due <= target).OrderBy(static timer => timer.Due).ThenBy(static timer => timer.Order).FirstOrDefault();
            if (due is null)
            {
                _now = target > _now ? target : _now;
                return null;
            }

            _now = due.Due > _now ? due.Due : _now;
            if (due.Period > TimeSpan.Zero)
            {
                due.Due += due.Period;
                due.Order = _order++;
            }
            else
            {
                _timers.Remove(due);
            }

            return due;
        }
    }

    private void Arm(ManualTimer timer, TimeSpan dueTime, TimeSpan period)
    {
        TaskCompletionSource armed;
        lock (_lock)
        {
            _timers.Remove(timer);
            if (dueTime < TimeSpan.Zero)
            {
                return;
            }

            timer.Period = period > TimeSpan.Zero ? period : TimeSpan.Zero;
            timer.Due = _now + (dueTime == TimeSpan.Zero ? timer.Period : dueTime);
            timer.Order = _order++;
            if (dueTime > TimeSpan.Zero || timer.Period > TimeSpan.Zero)
            {
                _timers.Add(timer);
            }

            armed = _armed;
            _armed = NewArmed();
        }

        armed.SetResult();
        if (dueTime == TimeSpan.Zero)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.Fire(), timer, preferLocal: false);
        }
    }

    private void Remove(ManualTimer timer)
    {
        lock (_lock)
        {
            _timers.Remove(timer);
        }
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        private readonly ExecutionContext? _context = ExecutionContext.Capture();
        private bool _disposed;

        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; set; }

        public long Order { get; set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (_disposed)
            {
                return false;
            }

            clock.Arm(this, dueTime, period);
            return true;
        }

        // As the system's timers do: in the context of whoever made the timer.
        public void Fire()
        {
            if (_context is null)
            {
                callback(state);
            }
            else
            {
                ExecutionContext.Run(_context, _ => callback(state), null);
            }
        }

        public void Dispose()
        {
            _disposed = true;
            clock.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
