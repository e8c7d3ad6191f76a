using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>
/// One attempt of this host at a task that it has claimed. It ends once: with its body, or without it when the body does not end in time.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Release disposes of the timers.")]
internal sealed class TaskAttempt(WorkClaimer claimer, RegisteredKind registered, ClaimedWork claimed) : IThreadPoolWorkItem
{
    private readonly Lock _lock = new();
    private ITimer? _timeout;
    private ITimer? _deadline;
    private ITimer? _grace;
    private int _reason;
    private int _hasEnded;
    private bool _isReleased;
    private int _waits;

    internal TaskKind Kind => registered.Kind;

    internal string TaskId => claimed.Task.TaskId;

    internal long Claim => claimed.Claim;

    internal ClaimedWork Claimed => claimed;

    internal TaskWork Work => claimed.Task.Work!;

    internal WorkClaimer Claimer => claimer;

    internal LiveTask? Live { get; set; }

    /// <summary>Gets what the body's code sees of its task.</summary>
    internal AmbientTask? Ambient { get; private set; }

    /// <summary>Gets or sets what the body threw.</summary>
    internal Exception? Failure { get; set; }

    /// <summary>Gets whether the body was begun. One that was not has used nothing up.</summary>
    internal bool HasBegun { get; private set; }

    internal long StartedAt { get; private set; }

    internal StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    internal void Note(StopReason reason)
    {
        for (var seen = Volatile.Read(ref _reason); seen < (int)reason;)
        {
            var now = Interlocked.CompareExchange(ref _reason, (int)reason, seen);
            if (now == seen)
            {
                return;
            }

            seen = now;
        }
    }

    /// <summary>Ends the attempt, for whoever comes first: only that one says what becomes of the task.</summary>
    internal bool TryEnd() => Interlocked.Exchange(ref _hasEnded, 1) == 0;

    /// <summary>The body is about to begin: from here on time counts. Not the body of an attempt that was told to stop before.</summary>
    internal bool TryBegin(AmbientTask ambient, long startedAt)
    {
        Ambient = ambient;
        if (Reason != StopReason.None)
        {
            return false;
        }

        StartedAt = startedAt;
        HasBegun = true;
        lock (_lock)
        {
            if (_isReleased)
            {
                return true;
            }

            var time = claimer.Options.TimeProvider;
            if (Kind.AttemptTimeout is { } timeout)
            {
                _timeout = time.CreateTimer(
                    static attempt => ((TaskAttempt)attempt!).Stop(StopReason.Timeout), this, timeout, Timeout.InfiniteTimeSpan);
            }

            if (Work.Deadline is { } deadline)
            {
                _deadline = time.CreateTimer(
                    static attempt => ((TaskAttempt)attempt!).OnDeadline(), this, WakeTime.PauseUntil(deadline, time), Timeout.InfiniteTimeSpan);
            }
        }

        return true;
    }

    /// <summary>Signals the body, and gives it the grace period to end; after that the attempt ends without it.</summary>
    internal void Stop(StopReason reason)
    {
        Note(reason);
        Live?.Signal(reason);
        lock (_lock)
        {
            if (!_isReleased)
            {
                _grace ??= claimer.Options.TimeProvider.CreateTimer(
                    static attempt => ((TaskAttempt)attempt!).Abandon(), this, claimer.Options.AttemptGracePeriod, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>
    /// The body waits for other tasks or for time until the answer is disposed of. However many waits it has at once, it makes room for one other.
    /// </summary>
    internal IDisposable Park()
    {
        lock (_lock)
        {
            if (!_isReleased && ++_waits == 1)
            {
                claimer.Parked();
            }
        }

        return new Wait(this);
    }

    /// <summary>Ends the attempt without its body, soon.</summary>
    internal void Abandon() => claimer.Options.Scheduler.Queue(this);

    public void Execute() => _ = claimer.Runner.AbandonAsync(Live!, this);

    internal void Release()
    {
        lock (_lock)
        {
            _isReleased = true;
            _timeout?.Dispose();
            _deadline?.Dispose();
            _grace?.Dispose();
            if (_waits > 0)
            {
                claimer.Unparked();
            }
        }

        Live = null;
        Ambient = null;
        Failure = null;
    }

    private void OnDeadline()
    {
        var time = claimer.Options.TimeProvider;
        if (Work.Deadline <= time.GetUtcNow())
        {
            Stop(StopReason.Deadline);
            return;
        }

        lock (_lock)
        {
            _deadline?.Change(WakeTime.PauseUntil(Work.Deadline!.Value, time), Timeout.InfiniteTimeSpan);
        }
    }

    private void EndWait()
    {
        lock (_lock)
        {
            if (!_isReleased && --_waits == 0)
            {
                claimer.Unparked();
            }
        }
    }

    private sealed class Wait(TaskAttempt attempt) : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
            {
                attempt.EndWait();
            }
        }
    }
}
