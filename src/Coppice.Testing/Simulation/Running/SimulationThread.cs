namespace Coppice.Testing;

/// <summary>The thread that a simulation has to itself, and what watches that it does not stand still.</summary>
internal static class SimulationThread
{
    // What is answered at once continues on the same stack.
    private const int StackSize = 16 * 1024 * 1024;

    internal static async Task<SimulationReport> RunAsync(Explorer explorer, Func<SimulationReport> work, TimeSpan standstill)
    {
        var done = new TaskCompletionSource<SimulationReport>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(
            () =>
            {
                SynchronizationContext.SetSynchronizationContext(null);
                try
                {
                    done.TrySetResult(work());
                }
                catch (Exception e)
                {
                    done.TrySetException(e);
                }
            },
            StackSize) { IsBackground = true, Name = "Coppice simulation" }.Start();
        using var timer = new PeriodicTimer(standstill / 4, TimeProvider.System);
        (HistoryRun? Run, int Steps) seen = default;
        for (var quarters = 0; !done.Task.IsCompleted;)
        {
            var tick = timer.WaitForNextTickAsync().AsTask();
            if (await Task.WhenAny(done.Task, tick).ConfigureAwait(false) == done.Task)
            {
                break;
            }

            var now = (explorer.Running, explorer.Running?.Loop.Steps ?? 0);
            quarters = now == seen ? quarters + 1 : 0;
            seen = now;
            if (quarters == 4)
            {
                throw new SimulationFailedException(StandsStill(standstill), null, "", Lines(explorer.Running), null);
            }
        }

        return await done.Task.ConfigureAwait(false);
    }

    private static Failure StandsStill(TimeSpan standstill) => new(
        Failure.LimitLaw,
        $"A step of the simulation has not ended for {standstill}: it blocks its thread, with Wait, Result, a lock, or a body that is Blocking. "
        + "What it waits for can only happen in another step. " + Escapes.Advice);

    /// <summary>What is known of a history whose thread stands still.</summary>
    private static IReadOnlyList<string> Lines(HistoryRun? run)
    {
        try
        {
            return run?.Recorder.Lines ?? [];
        }
        catch (InvalidOperationException)
        {
            // It does not stand still after all.
            return [];
        }
    }
}
