using System.Security.Cryptography;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A schema of a test's own, dropped with all that is in it at the end of the test.</summary>
internal sealed class ScratchSchema : IAsyncDisposable
{
    private ScratchSchema(NpgsqlDataSource dataSource) => DataSource = dataSource;

    /// <summary>Gets its name, which needs no quotes: <c>t_</c> and 16 hexadecimal digits.</summary>
    public string Name { get; } = "t_" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>Gets what connections come from. It is shared with the other tests, so it knows nothing of the schema.</summary>
    public NpgsqlDataSource DataSource { get; }

    /// <summary>Makes an empty schema.</summary>
    public static async Task<ScratchSchema> CreateAsync()
    {
        var schema = await ReserveAsync();
        await schema.ExecuteAsync($"CREATE SCHEMA {schema.Name}");
        return schema;
    }

    /// <summary>Chooses a name only: the schema is for the store to make. It is dropped at the end all the same.</summary>
    public static async Task<ScratchSchema> ReserveAsync() => new(await PostgresServer.DataSourceAsync());

    /// <summary>Runs a command on a connection of its own.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The only value that a query gives.</summary>
    public async Task<object?> QueryAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Drops the schema. A transaction that was left open on it fails the test here instead of keeping it for ever.</summary>
    public async ValueTask DisposeAsync()
    {
        await using var connection = await DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var drop = new NpgsqlBatch(connection, transaction)
        {
            BatchCommands =
            {
                new("SET LOCAL lock_timeout = '30s'"),
                new("SET LOCAL client_min_messages = warning"),
                new($"DROP SCHEMA IF EXISTS {Name} CASCADE"),
            },
        };
        await drop.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }
}
