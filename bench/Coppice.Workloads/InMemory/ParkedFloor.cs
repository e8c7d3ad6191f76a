using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>What the smallest parked task takes: a record that can be found, a token source and a completion source, and a body that waits.</summary>
internal static class ParkedFloor
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 100_000);
        _ = await ParkAsync(10);

        var before = WarmUp.BytesInUse();
        var records = await ParkAsync(tasks);
        var parked = WarmUp.BytesInUse() - before;
        GC.KeepAlive(records);
        return new Figures { ["bytes"] = (double)parked / tasks };
    }

    private static async Task<Dictionary<string, ParkedRecord>> ParkAsync(int tasks)
    {
        var records = new Dictionary<string, ParkedRecord>();
        var parked = new Countdown(tasks);
        for (var i = 0; i < tasks; i++)
        {
            var record = new ParkedRecord(string.Create(CultureInfo.InvariantCulture, $"bg_{i}"), "thread");
            records.Add(record.Id, record);
            ThreadPool.UnsafeQueueUserWorkItem(
                static state =>
                {
                    state.record.Running = state.record.RunAsync();
                    state.parked.Signal();
                },
                (record, parked),
                preferLocal: false);
        }

        await parked.Reached;
        return records;
    }

    [SuppressMessage("Design", "CA1001", Justification = "It parks until the process ends.")]
    private sealed class ParkedRecord(string id, string owner)
    {
        internal readonly CancellationTokenSource Source = new();

        internal string Id { get; } = id;

        internal string Owner { get; } = owner;

        internal long CreatedMs { get; } = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

        internal TaskState State { get; private set; } = TaskState.Running;

        internal Task? Running { get; set; }

        internal async Task RunAsync()
        {
            await Bodies.WhenCancelled(Source.Token);
            State = TaskState.Cancelled;
        }
    }
}
