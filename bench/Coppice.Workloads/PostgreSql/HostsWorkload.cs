using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Coppice.Workloads;

/// <summary>
/// Tasks of a registered kind that are there already, claimed and finished by one, two and four host processes: from the word to begin until the last
/// end has landed. A host has opened the store by then, run such tasks in a schema of its own, and takes a hundred at once.
/// </summary>
internal static class HostsWorkload
{
    private const int Threads = 200;
    private const int BatchSize = 500;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 20_000);
        var figures = new Figures();
        foreach (var hosts in (parameters.Text("hosts") ?? "1,2,4").Split(','))
        {
            await using var schema = await PostgresSchema.CreateAsync(parameters);
            await using (var store = await schema.OpenAsync())
            {
                await FillAsync(store, tasks);
            }

            var counts = new List<long>();
            figures["per_second_" + hosts] = await MeasureAsync(schema, tasks, int.Parse(hosts, CultureInfo.InvariantCulture), parameters, counts);
            figures["least_" + hosts] = figures["per_second_" + hosts] * counts.Min() / tasks;
            figures["most_" + hosts] = figures["per_second_" + hosts] * counts.Max() / tasks;
        }

        return figures;
    }

    /// <summary>One of the hosts: says how many it has ended whenever it is asked, and when the last of them was.</summary>
    internal static async Task DrainAsync(Parameters parameters)
    {
        const int Callers = 64;
        await using (var own = await PostgresSchema.CreateAsync(Parameters.Parse([])))
        await using (var scratch = await own.OpenAsync())
        await using (var manager = await BackgroundTaskManager.StartAsync(scratch, DurableKinds.EchoOptions()))
        {
            await Workloads.Callers.RunAsync(
                Callers, caller => StoredDurableWorkload.SpawnAsync(manager, caller, parameters.Int("unmeasured", 5000) / Callers));
        }

        WarmUp.Collect();
        await using var schema = PostgresSchema.Of(parameters);
        await using var store = await schema.OpenAsync();
        HostRoles.Say($"ready");
        if (await HostRoles.HearAsync() is null)
        {
            return;
        }

        using var ended = new EndedTasks();
        await using var host = await BackgroundTaskManager.StartAsync(store, DurableKinds.EchoOptions());
        while (await HostRoles.HearAsync() is not null)
        {
            HostRoles.Say($"ended {ended.Count} {ended.Last}");
        }
    }

    private static async Task FillAsync(ITaskStore store, int tasks)
    {
        var writer = await StoreWriter.JoinAsync(store);
        var input = JsonSerializer.SerializeToElement(DurableKinds.Value, DurableJson.Default.Int32);
        foreach (var batch in Enumerable.Range(0, tasks).Chunk(BatchSize))
        {
            await writer.CommitAsync([.. batch.Select(number => new AddTask
            {
                OwnerThreadId = "pending-" + (number % Threads).ToString(CultureInfo.InvariantCulture),
                Type = DurableKinds.Echo.Type,
                Work = new NewWork { Kind = DurableKinds.Echo.Name, Input = input, Recovery = RecoveryPolicy.Idempotent },
            })]);
        }

        await writer.CommitAsync([new LeaveHost()]);
    }

    private static async Task<double> MeasureAsync(PostgresSchema schema, int tasks, int count, Parameters parameters, List<long> counts)
    {
        var hosts = Enumerable.Range(0, count)
            .Select(_ => HostChild.Start("drain", $"schema={schema.Name}", $"unmeasured={parameters.Int("unmeasured", 5000)}")).ToList();
        try
        {
            foreach (var host in hosts)
            {
                await host.HearAsync("ready");
            }

            var start = Stopwatch.GetTimestamp();
            await Task.WhenAll(hosts.Select(static host => host.TellAsync($"go")));
            while (true)
            {
                await Task.Delay(Look, TimeProvider.System);
                var ended = await Task.WhenAll(hosts.Select(AskAsync));
                if (ended.Sum(static host => host.Count) < tasks)
                {
                    continue;
                }

                counts.AddRange(ended.Select(static host => host.Count));
                await Task.WhenAll(hosts.Select(static host => host.EndAsync()));
                return tasks / Stopwatch.GetElapsedTime(start, ended.Max(static host => host.Last)).TotalSeconds;
            }
        }
        finally
        {
            hosts.ForEach(static host => host.Dispose());
        }
    }

    private static async Task<(long Count, long Last)> AskAsync(HostChild host)
    {
        await host.TellAsync($"ended");
        var numbers = await host.HearAsync("ended");
        return (long.Parse(numbers[0], CultureInfo.InvariantCulture), long.Parse(numbers[1], CultureInfo.InvariantCulture));
    }
}
