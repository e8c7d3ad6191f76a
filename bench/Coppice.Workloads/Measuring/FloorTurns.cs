namespace Coppice.Workloads;

/// <summary>What callers write who each spawn a task, end it, and spawn the next.</summary>
internal static class FloorTurns
{
    /// <summary>
    /// Callers take turns, as many in a transaction as a group holds. Each writes a spawn, then the end of it, then the next spawn.
    /// </summary>
    /// <param name="rows">The statements.</param>
    /// <param name="callers">The numbers of the callers.</param>
    /// <param name="tasks">How many tasks all of them spawn and end.</param>
    /// <param name="group">How many writes share a transaction.</param>
    internal static void Write(IFloorRows rows, IEnumerable<int> callers, int tasks, int group)
    {
        var threads = callers.Select(caller => rows.ThreadNumber(StoredWorkload.ThreadOf(caller))).ToArray();
        var open = new long?[threads.Length];
        var spawned = 0;
        var ended = 0;
        for (var caller = 0; ended < tasks;)
        {
            rows.Begin();
            for (var written = 0; written < group && ended < tasks; caller = (caller + 1) % threads.Length)
            {
                if (open[caller] is { } task)
                {
                    rows.Finish(task, threads[caller]);
                    open[caller] = null;
                    ended++;
                }
                else if (spawned < tasks)
                {
                    open[caller] = rows.Spawn(threads[caller]);
                    spawned++;
                }
                else
                {
                    continue;
                }

                written++;
            }

            rows.Commit();
        }
    }
}
