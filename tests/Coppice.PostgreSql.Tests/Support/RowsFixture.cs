using System.Globalization;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>The tables of a store with some threads, from 1, and connections that write to them: each with its own transaction.</summary>
internal sealed class RowsFixture : IAsyncDisposable
{
    private readonly ScratchSchema _schema;
    private readonly Database _database;
    private readonly List<WriterConnection> _connections = [];

    private RowsFixture(ScratchSchema schema, Database database) => (_schema, _database) = (schema, database);

    /// <summary>Gets a time that tests count from.</summary>
    public static DateTimeOffset Noon { get; } = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

    public static async Task<RowsFixture> CreateAsync(int threads = 9)
    {
        var schema = await ScratchSchema.ReserveAsync();
        await schema.ExecuteAsync(PostgreSqlSchema.CreateScript(schema.Name));
        await schema.ExecuteAsync(string.Create(
            CultureInfo.InvariantCulture, $"INSERT INTO {schema.Name}.threads (owner_thread_id) SELECT generate_series(1, {threads})"));
        var options = new PostgreSqlTaskStoreOptions { Schema = schema.Name };
        return new RowsFixture(schema, new Database(await PostgresServer.ConnectionStringAsync(), options));
    }

    public static ThreadMessage Message(string id, DateTimeOffset? expires = null) => new(id, "t1", "planner", "hello") { ExpiresAt = expires };

    /// <summary>Opens a connection and begins a transaction on it.</summary>
    /// <param name="threads">The threads that it locks.</param>
    public WriterConnection Begin(params long[] threads)
    {
        var connection = new WriterConnection(_database);
        _connections.Add(connection);
        connection.Begin(threads);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        await _database.DisposeAsync();
        await _schema.DisposeAsync();
    }
}
