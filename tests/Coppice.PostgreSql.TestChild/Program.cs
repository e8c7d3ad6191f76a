using Coppice;

// A process of its own for tests: it runs tasks that end only when they are told to, says their ids in one line, and goes on until it is killed.
var (connectionString, schema, count) = (args[0], args[1], int.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture));
await using var store = await PostgreSqlTaskStore.OpenAsync(connectionString, new() { Schema = schema });
await using var manager = await BackgroundTaskManager.StartAsync(store, new() { HostTimeout = TimeSpan.FromHours(1) });
var ids = new List<string>();
for (var i = 0; i < count; i++)
{
    ids.Add(await manager.SpawnAsync("t1", static async context =>
    {
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    }));
}

await Console.Out.WriteLineAsync(string.Join(' ', ids));
await Console.Out.FlushAsync();

// Until the parent closes the pipe, or kills.
await Console.In.ReadLineAsync();
