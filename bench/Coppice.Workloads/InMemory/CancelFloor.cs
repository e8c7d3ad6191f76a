using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>Cancelling bare token sources, one after the other, and awaiting the tasks that park on them.</summary>
internal static class CancelFloor
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 10_000);
        var throwing = parameters.Text("body") == "throwing";
        await WarmUp.RunAsync(parameters.Int("warmup", 1500), () => MeasureAsync(Math.Min(tasks, 1000), throwing));
        return await MeasureAsync(tasks, throwing);
    }

    private static async Task<Figures> MeasureAsync(int count, bool throwing)
    {
        var parked = new Countdown(count);
        var sources = new CancellationTokenSource[count];
        var tasks = new Task[count];
        for (var i = 0; i < count; i++)
        {
            var source = sources[i] = new CancellationTokenSource();
            tasks[i] = Task.Run(() =>
            {
                var task = throwing ? RunThrowingAsync(source.Token) : RunAsync(source.Token);
                parked.Signal();
                return task;
            });
        }

        await parked.Reached;
        WarmUp.Collect();

        var start = Stopwatch.GetTimestamp();
        foreach (var source in sources)
        {
#pragma warning disable CA1849, VSTHRD103 // the bare call is what is measured
            source.Cancel();
#pragma warning restore CA1849, VSTHRD103
        }

        var call = Stopwatch.GetElapsedTime(start);
        await Task.WhenAll(tasks);
        var all = Stopwatch.GetElapsedTime(start);
        return new Figures { ["call_ms"] = call.TotalMilliseconds, ["all_ms"] = all.TotalMilliseconds };
    }

    private static async Task<TaskState> RunAsync(CancellationToken token)
    {
        await Bodies.WhenCancelled(token);
        return TaskState.Cancelled;
    }

    /// <summary>Ends by the exception, which is caught where ours is: one level up.</summary>
    private static async Task<TaskState> RunThrowingAsync(CancellationToken token)
    {
        try
        {
            return await ThrowAsync(token);
        }
        catch (OperationCanceledException)
        {
            return TaskState.Cancelled;
        }

        static async Task<TaskState> ThrowAsync(CancellationToken token)
        {
            await Bodies.Forever(token);
            return TaskState.Completed;
        }
    }
}
