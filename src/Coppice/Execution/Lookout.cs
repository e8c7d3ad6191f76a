using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>
/// Looks into the store for something to do: one look at a time, again when that was asked for meanwhile, and at a time that is known. A look that
/// failed is made up for with the next heartbeat.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "StopAsync disposes of the timer.")]
internal sealed class Lookout : IThreadPoolWorkItem
{
    private readonly Func<ValueTask> _look;
    private readonly Action<Exception> _onFailure;
    private readonly TimeProvider _time;
    private readonly WorkScheduler _scheduler;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _idle;
    private readonly ITimer _timer;
    private DateTimeOffset _armedFor = DateTimeOffset.MaxValue;
    private bool _isLooking;
    private bool _isLookDue;
    private bool _isStopped;
    private volatile bool _hasFailed;

    /// <summary>Creates one that does not look yet.</summary>
    /// <param name="look">Looks.</param>
    /// <param name="onFailure">Is told why a look failed; not because the manager is going.</param>
    /// <param name="options">The manager's options.</param>
    internal Lookout(Func<ValueTask> look, Action<Exception> onFailure, BackgroundTaskOptions options)
    {
        _look = look;
        _onFailure = onFailure;
        _time = options.TimeProvider;
        _scheduler = options.Scheduler;
        _idle = _scheduler.CreateSource();
        _timer = _time.CreateTimer(
            static lookout => ((Lookout)lookout!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Gets or sets whether the last look came to nothing because the store or the host failed.</summary>
    internal bool HasFailed
    {
        get => _hasFailed;
        set => _hasFailed = value;
    }

    /// <summary>Looks soon.</summary>
    internal void Look()
    {
        if (TryBegin(again: true))
        {
            _scheduler.Queue(this);
        }
    }

    /// <summary>Begins to look on the stack of the caller, unless a look is under way.</summary>
    internal void LookAtOnce()
    {
        if (TryBegin(again: false))
        {
            Execute();
        }
    }

    /// <summary>Looks at a time, if that comes before what is known already.</summary>
    internal void LookAt(DateTimeOffset time)
    {
        if (time <= _time.GetUtcNow())
        {
            Look();
            return;
        }

        lock (_lock)
        {
            if (!_isStopped && time < _armedFor)
            {
                _armedFor = time;
                _timer.Change(WakeTime.PauseUntil(time, _time), Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Looks no more, and completes when the last look has ended.</summary>
    internal Task StopAsync()
    {
        lock (_lock)
        {
            _isStopped = true;
            CompleteIfIdle();
        }

        _timer.Dispose();
        return _idle.Task;
    }

    public void Execute() => _ = LookAsync();

    private bool TryBegin(bool again)
    {
        lock (_lock)
        {
            if (_isStopped)
            {
                return false;
            }

            if (_isLooking)
            {
                _isLookDue |= again;
                return false;
            }

            return _isLooking = true;
        }
    }

    private async Task LookAsync()
    {
        do
        {
            try
            {
                await _look().ConfigureAwait(false);
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
            {
                // The manager is going.
            }
            catch (Exception e)
            {
                HasFailed = true;
                _onFailure(e);
            }
        }
        while (HasToLookAgain());
    }

    private bool HasToLookAgain()
    {
        lock (_lock)
        {
            _isLooking = _isLookDue && !_isStopped;
            _isLookDue = false;
            CompleteIfIdle();
            return _isLooking;
        }
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            _armedFor = DateTimeOffset.MaxValue;
        }

        Look();
    }

    private void CompleteIfIdle()
    {
        if (_isStopped && !_isLooking)
        {
            _scheduler.Complete(_idle);
        }
    }
}
