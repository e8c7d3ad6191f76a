using System.Globalization;
using Npgsql;

namespace Coppice.Workloads;

/// <summary>The schema that a measurement works in: a new one, which is dropped with it, or the one that was filled with many tasks before.</summary>
internal sealed class PostgresSchema : IAsyncDisposable
{
    /// <summary>What the names of all of them begin with.</summary>
    internal const string Prefix = "coppice_bench_";

    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(Server);
    private readonly bool _isKept;

    private PostgresSchema(string name, bool isKept)
    {
        Name = name;
        _isKept = isKept;
    }

    /// <summary>Gets the connection string of the server that is measured.</summary>
    internal static string Server => Environment.GetEnvironmentVariable(PostgresServer.Variable) is { Length: > 0 } server
        ? server
        : throw new InvalidOperationException($"{PostgresServer.Variable} names no server.");

    internal string Name { get; }

    /// <summary>
    /// Makes a new one for a measurement, with as many tasks in it as it is asked to have <c>beside</c> it; of very many, it is the one that
    /// <see cref="CrowdedSchema.MakeAsync"/> has made.
    /// </summary>
    internal static async Task<PostgresSchema> CreateAsync(Parameters parameters)
    {
        var beside = parameters.Int("beside", 0);
        if (beside > CrowdedSchema.Originals)
        {
            return new PostgresSchema(CrowdedSchema.NameOf(beside), isKept: true);
        }

        var schema = new PostgresSchema(Prefix + Guid.NewGuid().ToString("N")[..16], isKept: false);
        if (beside > 0)
        {
            await CrowdedSchema.FillAsync(schema, beside);
        }

        return schema;
    }

    /// <summary>One that stays, empty so far.</summary>
    internal static async Task<PostgresSchema> CreateKeptAsync(string name)
    {
        var schema = new PostgresSchema(name, isKept: true);
        await schema.DropAsync();
        return schema;
    }

    /// <summary>One that somebody else has made.</summary>
    internal static PostgresSchema Of(Parameters parameters) =>
        new(parameters.Text("schema") ?? throw new InvalidOperationException("The schema is missing."), isKept: true);

    internal ValueTask<PostgreSqlTaskStore> OpenAsync() => PostgreSqlTaskStore.OpenAsync(Server, new() { Schema = Name });

    /// <summary>Runs statements, in which <c>{schema}</c> is its name.</summary>
    internal async Task ExecuteAsync(string sql)
    {
        await using var command = Command(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Gets the rows of a query, each with its columns as text.</summary>
    internal async Task<List<string[]>> TextsAsync(string sql)
    {
        var texts = new List<string[]>();
        await using var command = Command(sql);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            texts.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)!)]);
        }

        return texts;
    }

    internal Task DropAsync() => ExecuteAsync("DROP SCHEMA IF EXISTS {schema} CASCADE");

    public async ValueTask DisposeAsync()
    {
        if (!_isKept)
        {
            await DropAsync();
        }

        await _source.DisposeAsync();
    }

    private NpgsqlCommand Command(string sql)
    {
        var command = _source.CreateCommand(sql.Replace("{schema}", Name, StringComparison.Ordinal));
        command.CommandTimeout = 600;
        return command;
    }
}
