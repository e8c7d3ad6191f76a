using System.Collections.Concurrent;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>
/// Schemas with the tables of a store and nothing in them. To make one takes the server a hundred times as long as to empty one, so they are used again
/// and again, and dropped when the process ends.
/// </summary>
internal static class SchemaPool
{
    private static readonly ConcurrentBag<ScratchSchema> Free = [];
    private static readonly ConcurrentBag<ScratchSchema> All = [];

    static SchemaPool() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => DropAll();

    /// <summary>An empty schema, for the caller alone until it is given back.</summary>
    public static async Task<ScratchSchema> TakeAsync()
    {
        if (Free.TryTake(out var free))
        {
            return free;
        }

        var schema = await ScratchSchema.ReserveAsync();
        All.Add(schema);
        return schema;
    }

    /// <summary>Empties a schema of which every store is closed, and keeps it for the next.</summary>
    public static async ValueTask GiveBackAsync(ScratchSchema schema)
    {
        await using var connection = await schema.DataSource.OpenConnectionAsync();
        var tables = await ListAsync(connection, schema.Name, "pg_tables", "tablename", "tablename <> 'migrations'");
        var sequences = await ListAsync(connection, schema.Name, "pg_sequences", "sequencename", "true");
        await using var clear = new NpgsqlBatch(connection);
        foreach (var table in tables)
        {
            clear.BatchCommands.Add(new($"DELETE FROM {schema.Name}.{table}"));
        }

        clear.BatchCommands.Add(new($"INSERT INTO {schema.Name}.meta DEFAULT VALUES"));
        foreach (var sequence in sequences)
        {
            clear.BatchCommands.Add(new($"ALTER SEQUENCE {schema.Name}.{sequence} RESTART"));
        }

        await clear.ExecuteNonQueryAsync();
        Free.Add(schema);
    }

    private static async Task<List<string>> ListAsync(NpgsqlConnection connection, string schema, string catalog, string column, string condition)
    {
        await using var command = new NpgsqlCommand($"SELECT {column} FROM {catalog} WHERE schemaname = $1 AND {condition}", connection) { Parameters = { new() { Value = schema } } };
        await using var rows = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await rows.ReadAsync())
        {
            names.Add(rows.GetString(0));
        }

        return names;
    }

    private static void DropAll()
    {
        try
        {
            Task.Run(static async () =>
            {
                foreach (var schema in All)
                {
                    await schema.DisposeAsync();
                }
            }).Wait(TimeSpan.FromSeconds(20));
        }
        catch (AggregateException)
        {
            // The server is gone, and the schemas with it.
        }
    }
}
