using Microsoft.Extensions.Logging;

namespace Coppice.Testing;

/// <summary>Makes a step of the simulation of everything that a manager would run apart from its caller.</summary>
internal sealed class SimulatedScheduler(SimulationLoop loop, SimulatedProcess process, Recorder recorder, int number) : WorkScheduler
{
    private readonly HashSet<TaskCompletionSource> _completing = [];
    private readonly Dictionary<TaskCompletionSource, List<TaskCompletionSource>> _waiting = [];
    private readonly SeededRandom _jitter = new((ulong)number);
    private int _ids;

    internal override bool RunsContinuationsApart => false;

    internal override bool CanStandStill => false;

    internal override void Queue(IThreadPoolWorkItem work)
    {
        if (work is not LiveTask task)
        {
            loop.Post(process, work.GetType().Name, work.Execute);
            return;
        }

        // A task of a registered kind is acknowledged to its spawner, wherever it runs.
        var claim = task.Claim;
        if (claim == 0)
        {
            recorder.Add(new SpawnAcknowledged(process, task.TaskId));
        }

        loop.Post(process, "body of " + task.TaskId, () =>
        {
            recorder.Add(new BodyStarted(process, task.TaskId, claim));
            work.Execute();
        });
    }

    // A body that stands still would stop the simulation; the watchdog says so.
    internal override void QueueBlocking(IThreadPoolWorkItem work, string threadName) => Queue(work);

    internal override void Cancel(CancellationTokenSource source, string taskId, ILogger logger) =>
        loop.Post(process, "signal to " + taskId, () =>
        {
            try
            {
                source.Cancel();
            }
            catch (Exception e) when (e is AggregateException or ObjectDisposedException)
            {
                // A callback threw, or the task ended first.
            }
        });

    /// <summary>The source has to show at once that it is cancelled, and only its own method can make it.</summary>
    internal override Task CancelAsync(CancellationTokenSource source)
    {
        loop.CheckThread("CancelAsync");
        try
        {
            source.Cancel();
            return Task.CompletedTask;
        }
        catch (AggregateException e)
        {
            return Task.FromException(e);
        }
    }

    internal override void Complete(TaskCompletionSource source, Exception? failure = null)
    {
        // The first completion counts, whichever step of the two would be taken first.
        if (source.Task.IsCompleted || !_completing.Add(source))
        {
            return;
        }

        loop.Post(process, "wake", () =>
        {
            _completing.Remove(source);
            Wake(source, failure);
            if (_waiting.Remove(source, out var waiting))
            {
                foreach (var each in waiting)
                {
                    loop.Post(process, "wake", () => Wake(each, failure));
                }
            }
        });
    }

    /// <summary>Each waits for a task of its own, or the second of them would be woken on the thread pool.</summary>
    internal override Task WaitFor(TaskCompletionSource source)
    {
        if (source.Task.IsCompleted || process.IsDead)
        {
            return source.Task;
        }

        if (!_waiting.TryGetValue(source, out var waiting))
        {
            _waiting.Add(source, waiting = []);
        }

        var own = new TaskCompletionSource();
        waiting.Add(own);
        return own.Task;
    }

    internal override Guid NewGuid() => new(number, 0, 0x7000, 0x80, 0, 0, 0, (byte)(_ids >> 24), (byte)(_ids >> 16), (byte)(_ids >> 8), (byte)_ids++);

    internal override double NextDouble() => _jitter.NextDouble();

    internal override void OnAttemptBegun(LiveTask task) => recorder.Add(new AttemptBegan(process, task.TaskId, task.Claim));

    internal override void OnBodyEnded(LiveTask task, TaskOutcome outcome) => recorder.Add(new BodyEnded(process, task.TaskId, task.Claim, outcome));

    internal override void OnSignalled(LiveTask task) => recorder.Add(new BodySignalled(process, task.TaskId, task.Claim));

    internal override void OnEmitted(LiveTask task, CustomTaskEvent custom) => recorder.Add(new EventEmitted(process, task.Claim, custom));

    internal override void OnParked(bool begins) => recorder.Add(new BodyParked(process, begins));

    private static void Wake(TaskCompletionSource source, Exception? failure)
    {
        if (failure is null)
        {
            source.TrySetResult();
        }
        else
        {
            source.TrySetException(failure);
        }
    }
}
