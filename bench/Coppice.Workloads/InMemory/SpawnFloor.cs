namespace Coppice.Workloads;

/// <summary>
/// The smallest program that does what a spawn to terminal has to: a record with a token source, found by its id and from its thread, an
/// empty body run by the thread pool, and a mail record. No manager, no laws.
/// </summary>
internal static class SpawnFloor
{
    internal static Task<Figures> RunAsync(Parameters parameters) => InMemoryRun.RunAsync(parameters, 1_000_000, MeasureAsync);

    private static Task<double> MeasureAsync(int tasks, int callers)
    {
        var store = new FloorStore(callers);
        return InMemoryRun.MeasureAsync(tasks, callers, (thread, count) => SpawnAsync(store, thread, count), () => store.MailDepth);
    }

    private static async Task SpawnAsync(FloorStore store, string thread, int count)
    {
        for (var i = 0; i < count; i++)
        {
            store.Spawn(thread, Bodies.Empty);
        }

        while (store.HasRunning(thread))
        {
            await Task.Yield();
        }
    }
}
