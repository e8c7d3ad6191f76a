using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A store's tables, filled by SQL, and what reads them.</summary>
internal sealed class ReadFixture : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source;

    private ReadFixture(ScratchSchema schema, NpgsqlDataSource source, Database database)
    {
        Schema = schema;
        _source = source;
        Database = database;
        Reader = new StoreReader(database);
    }

    public ScratchSchema Schema { get; }

    public Database Database { get; }

    public StoreReader Reader { get; }

    public static DateTimeOffset Noon { get; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static async Task<ReadFixture> CreateAsync()
    {
        var schema = await ScratchSchema.ReserveAsync();
        await schema.ExecuteAsync(PostgreSqlSchema.CreateScript(schema.Name));
        var server = await PostgresServer.ConnectionStringAsync();

        // What tests put in need not survive, so nobody waits for the disk.
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server) { Options = "-c synchronous_commit=off" });
        return new ReadFixture(schema, source, new Database(server, new PostgreSqlTaskStoreOptions { Schema = schema.Name }));
    }

    /// <summary>Runs SQL in which <c>{schema}</c> is the schema and $1… are the values.</summary>
    public async Task<object?> SqlAsync(string sql, params object?[] values)
    {
        await using var command = _source.CreateCommand(sql.Replace("{schema}", Schema.Name, StringComparison.Ordinal));
        foreach (var value in values)
        {
            command.Parameters.Add(value is null ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text } : new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteScalarAsync();
    }

    /// <summary>The number of a thread, which is made if need be.</summary>
    public async Task<long> ThreadAsync(string id)
    {
        await SqlAsync("INSERT INTO {schema}.thread_ids (id) VALUES ($1) ON CONFLICT DO NOTHING", id);
        var number = (long)(await SqlAsync("SELECT owner_thread_id FROM {schema}.thread_ids WHERE {schema}.index_key(id) = {schema}.index_key($1)", id))!;
        await SqlAsync("INSERT INTO {schema}.threads (owner_thread_id) VALUES ($1) ON CONFLICT DO NOTHING", number);
        return number;
    }

    /// <summary>The number of a task's id, which is given one if it is of another form than the store's own.</summary>
    public async Task<long?> NumberAsync(string? id)
    {
        if (id is null)
        {
            return null;
        }

        if (TaskIds.TryParse(id, out var number))
        {
            return number;
        }

        await SqlAsync("INSERT INTO {schema}.foreign_ids (id, n) VALUES ($1, nextval('{schema}.foreign_numbers')) ON CONFLICT DO NOTHING", id);
        return (long)(await SqlAsync("SELECT n FROM {schema}.foreign_ids WHERE {schema}.index_key(id) = {schema}.index_key($1)", id))!;
    }

    /// <summary>Stores a task as it stands.</summary>
    public async Task AddAsync(TaskSnapshot task)
    {
        var owner = await ThreadAsync(task.OwnerThreadId);
        var number = (await NumberAsync(task.TaskId))!.Value;
        var parent = await NumberAsync(task.Lineage.TaskId);
        long? agentThread = task.AgentThreadId is { } agent ? await ThreadAsync(agent) : null;
        int? kind = null;
        if (task.Work is { } work)
        {
            await SqlAsync("INSERT INTO {schema}.kinds (name) VALUES ($1) ON CONFLICT DO NOTHING", work.Kind);
            kind = (int)(await SqlAsync("SELECT n FROM {schema}.kinds WHERE name = $1", work.Kind))!;
            await SqlAsync(
                """
                INSERT INTO {schema}.work (owner_thread_id, n, kind, version, max_crashes, priority, attempt, failures, crashes, due_ms, deadline_ms, recovery, key, last_error, input)
                VALUES ($1, $2, $3, $4, 3, $5, $6, $7, $8, $9::text::bigint, $10::text::bigint, $11, $12, $13, $14)
                """,
                owner, number, kind, work.Version, work.Priority, work.Attempt, work.Failures, work.Crashes, Text(work.DueAt), Text(work.Deadline),
                (short)work.Recovery, work.IdempotencyKey, work.LastError, work.Input.GetRawText());
        }

        await SqlAsync("INSERT INTO {schema}.task_ids (n, owner_thread_id) VALUES ($1, $2)", number, owner);
        await SqlAsync(
            """
            INSERT INTO {schema}.tasks (owner_thread_id, n, created_ms, completed_ms, cancel_ms, parent, agent_thread, continues, kind, state, notify,
                type, name, run_id, call_id, agent_id, cancelled_by, description, error, result)
            VALUES ($1, $2, $3, $4::text::bigint, $5::text::bigint, $6::text::bigint, $7::text::bigint, $8::text::bigint, $9::text::integer, $10, $11,
                $12, $13, $14, $15, $16, $17, $18, $19, $20)
            """,
            owner, number, task.CreatedAt.ToUnixTimeMilliseconds(), Text(task.CompletedAt), Text(task.CancelRequestedAt), Text(parent), Text(agentThread),
            Text(await NumberAsync(task.Continues)), Text(kind), (short)task.State, (short)task.Notify, task.Type, task.Name, task.Lineage.RunId,
            task.Lineage.CallId, task.Lineage.AgentId, task.CancelledBy, task.Description, task.Error, task.Result?.GetRawText());
        if (!task.State.IsTerminal())
        {
            await SqlAsync(
                """
                INSERT INTO {schema}.branches (owner_thread_id, n, parent, agent_thread, kind, name, run_id)
                VALUES ($1, $2, $3::text::bigint, $4::text::bigint, $5::text::integer, $6, $7)
                """,
                owner, number, Text(parent), Text(agentThread), Text(kind), task.Name, parent is null ? task.Lineage.RunId : null);
        }
    }

    /// <summary>Stores a task that says no more than it must.</summary>
    public async Task<TaskSnapshot> AddAsync(string id, TaskState state = TaskState.Running, string thread = "t1", string? name = null, TaskLineage? lineage = null)
    {
        var task = new TaskSnapshot
        {
            TaskId = id,
            OwnerThreadId = thread,
            State = state,
            Name = name,
            CreatedAt = Noon,
            CompletedAt = state.IsTerminal() ? Noon : null,
            Lineage = lineage ?? TaskLineage.None,
        };
        await AddAsync(task);
        return task;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await _source.DisposeAsync();
        await Schema.DisposeAsync();
    }

    private static string? Text(DateTimeOffset? time) => Text(time?.ToUnixTimeMilliseconds());

    private static string? Text(long? number) => number?.ToString(CultureInfo.InvariantCulture);
}
