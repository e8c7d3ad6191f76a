using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace Coppice.Benchmarks;

/// <summary>How many tasks a second go from spawn to terminal in a file, beside the bare statements in groups of the same size.</summary>
internal static class SqliteBenchmark
{
    private const int Runs = 5;

    /// <summary>How many threads own the tasks of many callers.</summary>
    private const int Threads = 20;

    private static readonly (int Callers, int Tasks)[] Loads = [(1, 4_000), (256, 80_000)];

    internal static async Task<Report> RunAsync()
    {
        var report = new Report(
            "Spawn to terminal, in SQLite",
            "Write-ahead log, synchronous=FULL. Each caller spawns a task whose body returns at once, awaits its end and spawns the next. The floor is "
            + "one transaction that inserts a row for each task of a group and one that updates it, by bare prepared statements on one thread, in "
            + "groups of the size that the store reached, with a log that does not grow any more.",
            "callers", "tasks/s", "batches a transaction", "floor, tasks/s", "share of the floor");
        foreach (var (callers, tasks) in Loads)
        {
            var rates = new List<double>();
            var floors = new List<double>();
            var groups = new List<double>();
            for (var run = 0; run < Runs; run++)
            {
                var (rate, group) = await RunOnceAsync(callers, tasks);
                rates.Add(rate);
                groups.Add(group);
                floors.Add(SqliteFloor.Run(tasks, Math.Max(1, (int)Math.Round(group))));
                Console.WriteLine($"sqlite: {callers} callers, run {run + 1} of {Runs}");
            }

            report.Add(
                callers.ToString(CultureInfo.InvariantCulture), Report.Thousands(Report.Median(rates)), Report.Ratio(Report.Median(groups)),
                Report.Thousands(Report.Median(floors)), Report.Ratio(Report.Median(rates.Zip(floors, (rate, floor) => rate / floor))));
        }

        return report;
    }

    private static async Task<(double Rate, double GroupSize)> RunOnceAsync(int callers, int tasks)
    {
        var folder = Report.Scratch();
        try
        {
            await using var store = await SqliteTaskStore.OpenAsync(Path.Combine(folder, "tasks.db"));
            await using var manager = await BackgroundTaskManager.StartAsync(store);
            await SpawnAsync(manager, 0, 50);

            using var groups = new GroupSizes();
            var start = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(() => SpawnAsync(manager, caller, tasks / callers))));
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            return (tasks / callers * callers / seconds, groups.Mean);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task SpawnAsync(BackgroundTaskManager manager, int caller, int count)
    {
        var thread = "thread-" + (caller % Threads).ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < count; i++)
        {
            await manager.WaitAsync(await manager.SpawnAsync(thread, static _ => Task.CompletedTask));
        }
    }

    /// <summary>Listens to how many batches share a transaction.</summary>
    private sealed class GroupSizes : IDisposable
    {
        private readonly MeterListener _listener = new();
        private double _transactions;
        private long _batches;

        internal GroupSizes()
        {
            _listener.InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument is { Name: "coppice.store.commit.group_size", Meter.Name: CoppiceTelemetry.Name })
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<int>((_, size, _, _) => Record(size));
            _listener.Start();
        }

        /// <summary>Gets batches by transactions: each batch reports the size of its group.</summary>
        internal double Mean => _transactions > 0 ? _batches / _transactions : 1;

        public void Dispose() => _listener.Dispose();

        private void Record(int size)
        {
            lock (_listener)
            {
                _batches++;
                _transactions += 1.0 / size;
            }
        }
    }
}
