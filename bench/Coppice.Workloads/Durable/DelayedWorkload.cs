using System.Globalization;

namespace Coppice.Workloads;

/// <summary>
/// A store with many tasks that are due in years: what the process takes for them, and how late a thousand others begin that are due at random
/// moments within a few seconds.
/// </summary>
internal static class DelayedWorkload
{
    private const int Seed = 20_260_101;
    private const int SpawningCallers = 16;

    /// <summary>Opens the file that has them.</summary>
    internal static Task<Figures> RunAsync(Parameters parameters) => RunStoredAsync(parameters, PreparedFile.PathOf(parameters), isKept: true);

    /// <summary>A file without any.</summary>
    internal static async Task<Figures> RunWithoutAsync(Parameters parameters)
    {
        using var folder = new ScratchFolder();
        return await RunStoredAsync(parameters, folder.File("tasks.db"), isKept: false);
    }

    internal static async Task<Figures> RunInMemoryAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 1_000_000);
        await using var store = new InMemoryTaskStore();
        var bodies = new DueBodies();
        await using var manager = await BackgroundTaskManager.StartAsync(store, bodies.Options);
        var before = WarmUp.BytesInUse();
        for (var number = 0; number < tasks; number++)
        {
            var thread = "delayed-" + (number % 1000).ToString(CultureInfo.InvariantCulture);
            await manager.SpawnAsync(DurableKinds.Echo, thread, DurableKinds.Value, new SpawnOptions { Delay = PendingFile.DelayOf(number, tasks) });
        }

        var bytes = WarmUp.BytesInUse() - before;
        var figures = await MeasureAsync(parameters, manager, bodies);
        figures["bytes_a_task"] = (double)bytes / tasks;
        return figures;
    }

    private static async Task<Figures> RunStoredAsync(Parameters parameters, string path, bool isKept)
    {
        var before = WarmUp.BytesInUse();
        await using var store = await SqliteTaskStore.OpenAsync(path);
        var bodies = new DueBodies();
        await using var manager = await BackgroundTaskManager.StartAsync(store, bodies.Options);
        var figures = await MeasureAsync(parameters, manager, bodies);
        figures["managed_mb"] = (WarmUp.BytesInUse() - before) / 1e6;
        figures["resident_mb"] = Environment.WorkingSet / 1e6;
        return figures;
    }

    private static async Task<Figures> MeasureAsync(Parameters parameters, BackgroundTaskManager manager, DueBodies bodies)
    {
        var due = parameters.Int("due", 1000);
        var seconds = parameters.Number("seconds", 4);

        // The compiler has seen what is hot.
        await bodies.RunAsync(manager, due, TimeSpan.FromSeconds(seconds / 2), TimeSpan.FromSeconds(seconds / 2));
        WarmUp.Collect();
        var (late, timers) = await bodies.RunAsync(manager, due, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds));
        return new Figures
        {
            ["late_p50_ms"] = late[late.Length / 2],
            ["late_p99_ms"] = late[late.Length * 99 / 100],
            ["late_max_ms"] = late[^1],
            ["timer_p50_ms"] = timers[timers.Length / 2],
            ["timer_p99_ms"] = timers[timers.Length * 99 / 100],
            ["timer_max_ms"] = timers[^1],
        };
    }

    /// <summary>Tasks whose bodies note how late they begin. Their input is which of the due times is theirs.</summary>
    private sealed class DueBodies
    {
        private readonly Random _random = new(Seed);
        private DateTimeOffset[] _due = [];
        private double[] _late = [];
        private Countdown _left = new(0);

        internal BackgroundTaskOptions Options => DurableKinds.Options(DurableKinds.Echo, (place, _) =>
        {
            _late[place] = (TimeProvider.System.GetUtcNow() - _due[place]).TotalMilliseconds;
            _left.Signal();
            return Task.FromResult(place);
        });

        /// <summary>
        /// Spawns so many, due at random within a span that begins after a while, and gets how many milliseconds late they began, in order; and how
        /// late bare timers for the same moments were, which is what the process and the machine make of any time.
        /// </summary>
        internal async Task<(double[] Bodies, double[] Timers)> RunAsync(BackgroundTaskManager manager, int count, TimeSpan after, TimeSpan span)
        {
            // Times are kept to the millisecond.
            var from = DateTimeOffset.FromUnixTimeMilliseconds((TimeProvider.System.GetUtcNow() + after).ToUnixTimeMilliseconds());
            _due = [.. Enumerable.Range(0, count).Select(_ => from.AddMilliseconds(_random.Next((int)span.TotalMilliseconds)))];
            _late = new double[count];
            _left = new Countdown(count);
            await Callers.RunAsync(SpawningCallers, async caller =>
            {
                for (var place = caller; place < count; place += SpawningCallers)
                {
                    var thread = "due-" + (place % 20).ToString(CultureInfo.InvariantCulture);
                    await manager.SpawnAsync(DurableKinds.Echo, thread, place, new SpawnOptions { StartAt = _due[place] });
                }
            });
            if (TimeProvider.System.GetUtcNow() >= from)
            {
                throw new InvalidOperationException($"{count} spawns took longer than the {after} there was before the first was due.");
            }

            var timers = await Task.WhenAll(_due.Select(LatenessAsync));
            await _left.Reached;
            return ([.. _late.Order()], [.. timers.Order()]);
        }

        private static async Task<double> LatenessAsync(DateTimeOffset due)
        {
            await Task.Delay(due - TimeProvider.System.GetUtcNow() + TimeSpan.FromMilliseconds(1), TimeProvider.System);
            return (TimeProvider.System.GetUtcNow() - due).TotalMilliseconds;
        }
    }
}
