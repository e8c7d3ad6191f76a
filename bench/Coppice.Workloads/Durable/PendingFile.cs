using System.Globalization;
using System.Text.Json;

namespace Coppice.Workloads;

/// <summary>A store's file with many tasks that wait for a host, or for their time.</summary>
internal static class PendingFile
{
    private const int Threads = 1000;
    private const int BatchSize = 500;

    internal static Task<Figures> MakeAsync(Parameters parameters) => PreparedFile.MakeAsync(parameters, (path, tasks) => FillAsync(path, tasks, areDelayed: false));

    /// <summary>They are due one after the other, from a year on and for eight years.</summary>
    internal static Task<Figures> MakeDelayedAsync(Parameters parameters) =>
        PreparedFile.MakeAsync(parameters, (path, tasks) => FillAsync(path, tasks, areDelayed: true));

    internal static TimeSpan DelayOf(int number, int tasks) => TimeSpan.FromDays(365 + (8 * 365.0 * number / tasks));

    private static async Task FillAsync(string path, int tasks, bool areDelayed)
    {
        await using var store = await SqliteTaskStore.OpenAsync(path, new() { Synchronous = SqliteSynchronous.Normal });
        var writer = await StoreWriter.JoinAsync(store);
        var input = JsonSerializer.SerializeToElement(DurableKinds.Value, DurableJson.Default.Int32);
        var now = TimeProvider.System.GetUtcNow();
        for (var first = 0; first < tasks; first += BatchSize)
        {
            var numbers = Enumerable.Range(first, Math.Min(BatchSize, tasks - first));
            await writer.CommitAsync([.. numbers.Select(number => new AddTask
            {
                OwnerThreadId = "thread-" + (number % Threads).ToString(CultureInfo.InvariantCulture),
                Type = DurableKinds.Echo.Type,
                Work = new NewWork
                {
                    Kind = DurableKinds.Echo.Name,
                    Input = input,
                    Recovery = RecoveryPolicy.Idempotent,
                    DueAt = areDelayed ? now + DelayOf(number, tasks) : null,
                },
            })]);
        }

        await writer.CommitAsync([new LeaveHost()]);
    }
}
