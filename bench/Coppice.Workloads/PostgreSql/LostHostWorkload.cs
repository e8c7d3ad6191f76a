using System.Diagnostics;

namespace Coppice.Workloads;

/// <summary>
/// How long the tasks of a host that is no more stay without an end: from the moment that it is killed, or falls silent while its connections
/// stay, until another host has settled the last of them.
/// </summary>
internal static class LostHostWorkload
{
    /// <summary>The process is killed, several times; the longest counts.</summary>
    internal static Task<Figures> KillAsync(Parameters parameters) => RunAsync(parameters, parameters.Int("kills", 3), static host =>
    {
        host.Kill();
        return Task.CompletedTask;
    });

    /// <summary>The process is stopped where it is: the server sees a connection on which nothing comes.</summary>
    internal static Task<Figures> SilenceAsync(Parameters parameters) => RunAsync(parameters, times: 1, static host => host.PauseAsync());

    /// <summary>The host that is lost.</summary>
    internal static async Task ParkAsync(Parameters parameters)
    {
        await using var schema = PostgresSchema.Of(parameters);
        await using var store = await schema.OpenAsync();
        await using var manager = await BackgroundTaskManager.StartAsync(store, OptionsOf(parameters));
        var tasks = await Task.WhenAll(Enumerable.Range(0, parameters.Int("tasks", 100))
            .Select(number => manager.SpawnAsync(StoredWorkload.ThreadOf(number), Bodies.Parked).AsTask()));
        HostRoles.Say($"parked {string.Join(' ', tasks)}");
        await HostRoles.HearAsync();
    }

    private static async Task<Figures> RunAsync(Parameters parameters, int times, Func<HostChild, Task> loseAsync)
    {
        await using var schema = await PostgresSchema.CreateAsync(parameters);
        await using var store = await schema.OpenAsync();
        await using var manager = await BackgroundTaskManager.StartAsync(store, OptionsOf(parameters));
        var longest = TimeSpan.Zero;
        for (var time = 0; time < times; time++)
        {
            using var host = HostChild.Start(
                "park", $"schema={schema.Name}", $"tasks={parameters.Int("tasks", 100)}", $"timeout={parameters.Int("timeout", 15)}");
            var tasks = await host.HearAsync("parked");
            var ends = Task.WhenAll(tasks.Select(task => manager.WaitAsync(task)));
            var start = Stopwatch.GetTimestamp();
            await loseAsync(host);
            var ended = await ends;
            longest = TimeSpan.FromTicks(Math.Max(longest.Ticks, Stopwatch.GetElapsedTime(start).Ticks));
            if (ended.FirstOrDefault(static task => task.State != TaskState.Failed) is { } other)
            {
                throw new InvalidOperationException($"A task of the lost host is {other.State}.");
            }
        }

        return new Figures { ["ms"] = longest.TotalMilliseconds, ["seconds"] = longest.TotalSeconds };
    }

    private static BackgroundTaskOptions OptionsOf(Parameters parameters) =>
        new() { HostTimeout = TimeSpan.FromSeconds(parameters.Int("timeout", 15)) };
}
