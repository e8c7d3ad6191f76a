using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>
/// Cancels token sources on threads of its own. The callbacks on a token are other people's code: they may block or throw, and they
/// may be what a starved thread pool is waiting for.
/// </summary>
/// <remarks>
/// One thread does the work. A second only watches: when the first is stuck in a callback while others wait, it takes over and a new
/// watcher stands in for it. Both go when there has been nothing to do for a while.
/// </remarks>
internal static class SignalThreads
{
    private static readonly TimeSpan StuckAfter = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan IdleBeforeLeaving = TimeSpan.FromSeconds(10);

    private static readonly object Gate = new();
    private static readonly Queue<Signal> Waiting = new();
    private static int _workers;
    private static int _idleWorkers;
    private static bool _hasWatcher;
    private static long _taken;

    /// <summary>Cancels a source soon. Callbacks that throw are logged.</summary>
    internal static void Cancel(CancellationTokenSource source, string taskId, ILogger logger)
    {
        lock (Gate)
        {
            Waiting.Enqueue(new Signal(source, taskId, logger));
            if (_workers == 0)
            {
                _workers++;
                Start(Work);
            }

            if (!_hasWatcher)
            {
                _hasWatcher = true;
                Start(Watch);
            }

            Monitor.PulseAll(Gate);
        }
    }

    private static void Start(ThreadStart run) =>
        new Thread(run, 256 * 1024) { IsBackground = true, Name = "Coppice signals" }.UnsafeStart();

    private static void Work()
    {
        while (TryTake(out var signal))
        {
            signal.Send();
        }
    }

    private static bool TryTake(out Signal signal)
    {
        lock (Gate)
        {
            while (!Waiting.TryDequeue(out signal))
            {
                if (_idleWorkers > 0 || !WaitForWork())
                {
                    _workers--;
                    return false;
                }
            }

            _taken++;
            return true;
        }
    }

    private static bool WaitForWork()
    {
        _idleWorkers++;
        var isPulsed = Monitor.Wait(Gate, IdleBeforeLeaving);
        _idleWorkers--;
        return isPulsed || Waiting.Count > 0;
    }

    private static void Watch()
    {
        lock (Gate)
        {
            while (!IsWorkStuck())
            {
                if (Waiting.Count == 0 && !Monitor.Wait(Gate, IdleBeforeLeaving * 2) && Waiting.Count == 0)
                {
                    _hasWatcher = false;
                    return;
                }
            }

            _workers++;
            Start(Watch);
        }

        Work();
    }

    /// <summary>Whether something waits and nothing has been taken for a while.</summary>
    private static bool IsWorkStuck()
    {
        var seen = _taken;
        var since = TimeProvider.System.GetTimestamp();
        while (Waiting.Count > 0 && _taken == seen)
        {
            var left = StuckAfter - TimeProvider.System.GetElapsedTime(since);
            if (left <= TimeSpan.Zero)
            {
                return true;
            }

            Monitor.Wait(Gate, left);
        }

        return false;
    }

    private readonly record struct Signal(CancellationTokenSource Source, string TaskId, ILogger Logger)
    {
        internal void Send()
        {
            try
            {
                Source.Cancel();
            }
            catch (AggregateException e)
            {
                Log.CancelCallbackFailed(Logger, TaskId, e);
            }
            catch (ObjectDisposedException)
            {
                // The task ended first.
            }
        }
    }
}
