namespace Coppice.Workloads;

/// <summary>Tasks spawned to terminal in a PostgreSQL database: each caller awaits the spawn and the end of one and spawns the next.</summary>
internal static class PostgresWorkload
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        await using var schema = await PostgresSchema.CreateAsync(parameters);
        await using var store = await schema.OpenAsync();
        var (perSecond, groups) = await new StoredRun(parameters).MeasureAsync(store, new BackgroundTaskOptions(), StoredWorkload.SpawnAsync);
        return new Figures { ["per_second"] = perSecond, ["group"] = groups.Mean };
    }
}
