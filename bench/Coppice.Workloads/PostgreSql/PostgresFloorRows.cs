using System.Globalization;
using Npgsql;

namespace Coppice.Workloads;

/// <summary>
/// Writes what the store writes for a spawn and for a finish, into tables that the store itself made: a write alone by prepared statements of one
/// row each, several by arrays. <see cref="PostgresFloorAgreement"/> fails when the rows are not the store's any more.
/// </summary>
internal sealed class PostgresFloorRows : IFloorRows, IDisposable
{
    // Each statement has an index that it is to go by, and one plan.
    private const string Planner =
        "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off "
        + "-c plan_cache_mode=force_generic_plan";

    private readonly PostgresColumn<long> _owners = new();
    private readonly PostgresColumn<long> _tasks = new();
    private readonly PostgresColumn<long> _times = new();
    private readonly PostgresColumn<long> _endedOwners = new();
    private readonly PostgresColumn<long> _endedTasks = new();
    private readonly PostgresColumn<long> _endTimes = new();
    private readonly PostgresColumn<long> _sequences = new();
    private readonly PostgresColumn<string> _mail = new();
    private readonly PostgresColumn<long> _changedThreads = new();
    private readonly PostgresColumn<long> _lastSequences = new();
    private readonly Dictionary<long, long> _lastSequence = [];
    private readonly NpgsqlConnection _connection;
    private readonly string _schema;
    private readonly int _writers;
    private readonly (NpgsqlBatch Spawn, NpgsqlBatch End)? _alone;
    private readonly NpgsqlBatch? _together;
    private long _next;

    /// <summary>Opens a connection of its own.</summary>
    /// <param name="schema">Where the store has made its tables.</param>
    /// <param name="group">How many writes share a transaction.</param>
    /// <param name="writer">Which of the writers it is.</param>
    /// <param name="writers">How many there are.</param>
    internal PostgresFloorRows(PostgresSchema schema, int group, int writer, int writers)
    {
        (_schema, _next, _writers) = (schema.Name, writer, writers);
        var settings = new NpgsqlConnectionStringBuilder(PostgresSchema.Server) { Options = Planner, Pooling = false };
        _connection = new NpgsqlConnection(settings.ConnectionString);
        _connection.Open();
        if (group == 1)
        {
            _alone = PrepareAlone();
        }
        else
        {
            _together = PrepareTogether();
        }
    }

    public long ThreadNumber(string id)
    {
        using var command = new NpgsqlCommand(
            InSchema(
                """
                WITH new AS (INSERT INTO {schema}.thread_ids (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING owner_thread_id),
                    head AS (INSERT INTO {schema}.threads (owner_thread_id) SELECT owner_thread_id FROM new)
                SELECT owner_thread_id FROM new UNION ALL SELECT owner_thread_id FROM {schema}.thread_ids WHERE {schema}.index_key(id) = {schema}.index_key($1)
                """),
            _connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        var number = (long)command.ExecuteScalar()!;
        _lastSequence.TryAdd(number, 0);
        return number;
    }

    public void Begin()
    {
        // It goes with what is written.
    }

    public long Spawn(long thread)
    {
        var task = _next;
        _next += _writers;
        _owners.Add(thread);
        _tasks.Add(task);
        _times.Add(Now());
        return task;
    }

    public void Finish(long task, long thread)
    {
        var sequence = ++_lastSequence[thread];
        _endedOwners.Add(thread);
        _endedTasks.Add(task);
        _endTimes.Add(Now());
        _sequences.Add(sequence);
        _mail.Add(string.Create(CultureInfo.InvariantCulture, $$"""{"kind":"completed","task_id":"bg_{{task}}"}"""));
    }

    public void Commit()
    {
        foreach (var thread in _endedOwners.Distinct())
        {
            _changedThreads.Add(thread);
            _lastSequences.Add(_lastSequence[thread]);
        }

        var batch = _alone is { } alone ? (_tasks.Count > 0 ? alone.Spawn : alone.End) : _together!;
        foreach (var column in (ReadOnlySpan<IPostgresColumn>)[
            _owners, _tasks, _times, _endedOwners, _endedTasks, _endTimes, _sequences, _mail, _changedThreads, _lastSequences])
        {
            column.Hand();
        }

        batch.ExecuteNonQuery();
    }

    public void Dispose()
    {
        _alone?.Spawn.Dispose();
        _alone?.End.Dispose();
        _together?.Dispose();
        _connection.Dispose();
    }

    private (NpgsqlBatch Spawn, NpgsqlBatch End) PrepareAlone() => (
        Transaction(
            ("INSERT INTO {schema}.task_ids (n, owner_thread_id) VALUES ($1, $2)", [_tasks.One(), _owners.One()]),
            (
                """
                INSERT INTO {schema}.tasks (owner_thread_id, n, created_ms, host_epoch, state, type, description)
                VALUES ($1, $2, $3, 1, 1, 'task', '')
                """,
                [_owners.One(), _tasks.One(), _times.One()]),
            ("INSERT INTO {schema}.branches (owner_thread_id, n, host_epoch) VALUES ($1, $2, 1)", [_owners.One(), _tasks.One()])),
        Transaction(
            (
                "UPDATE {schema}.tasks SET state = 3, completed_ms = $3 WHERE owner_thread_id = $1 AND n = $2",
                [_endedOwners.One(), _endedTasks.One(), _endTimes.One()]),
            ("DELETE FROM {schema}.branches WHERE owner_thread_id = $1 AND n = $2", [_endedOwners.One(), _endedTasks.One()]),
            (
                "UPDATE {schema}.threads SET last_seq = $2, terminals = $2, wakes = true WHERE owner_thread_id = $1",
                [_changedThreads.One(), _lastSequences.One()]),
            (
                "INSERT INTO {schema}.mail (owner_thread_id, seq, class, json) VALUES ($1, $2, 1, $3)",
                [_endedOwners.One(), _sequences.One(), _mail.One()])));

    private NpgsqlBatch PrepareTogether() => Transaction(
        ("INSERT INTO {schema}.task_ids (n, owner_thread_id) SELECT * FROM unnest($1, $2)", [_tasks.All(), _owners.All()]),
        (
            """
            INSERT INTO {schema}.tasks (owner_thread_id, n, created_ms, host_epoch, state, type, description)
            SELECT owner, task, at, 1, 1, 'task', '' FROM unnest($1, $2, $3) AS new (owner, task, at)
            """,
            [_owners.All(), _tasks.All(), _times.All()]),
        (
            "INSERT INTO {schema}.branches (owner_thread_id, n, host_epoch) SELECT owner, task, 1 FROM unnest($1, $2) AS new (owner, task)",
            [_owners.All(), _tasks.All()]),
        (
            """
            UPDATE {schema}.tasks t SET state = 3, completed_ms = at FROM unnest($1, $2, $3) AS ended (owner, task, at)
            WHERE t.owner_thread_id = owner AND t.n = task
            """,
            [_endedOwners.All(), _endedTasks.All(), _endTimes.All()]),
        (
            "DELETE FROM {schema}.branches b USING unnest($1, $2) AS ended (owner, task) WHERE b.owner_thread_id = owner AND b.n = task",
            [_endedOwners.All(), _endedTasks.All()]),
        (
            """
            UPDATE {schema}.threads t SET last_seq = last, terminals = last, wakes = true FROM unnest($1, $2) AS changed (owner, last)
            WHERE t.owner_thread_id = owner
            """,
            [_changedThreads.All(), _lastSequences.All()]),
        (
            """
            INSERT INTO {schema}.mail (owner_thread_id, seq, class, json)
            SELECT owner, place, 1, mail FROM unnest($1, $2, $3) AS new (owner, place, mail)
            """,
            [_endedOwners.All(), _sequences.All(), _mail.All()]));

    /// <summary>Statements that are sent together, and are a transaction.</summary>
    private NpgsqlBatch Transaction(params (string Sql, NpgsqlParameter[] Values)[] statements)
    {
        var batch = new NpgsqlBatch(_connection);
        foreach (var (sql, values) in (IEnumerable<(string, NpgsqlParameter[])>)[("BEGIN", []), .. statements, ("COMMIT", [])])
        {
            var command = new NpgsqlBatchCommand(InSchema(sql));
            command.Parameters.AddRange(values);
            batch.BatchCommands.Add(command);
        }

        batch.Prepare();
        return batch;
    }

    private string InSchema(string sql) => sql.Replace("{schema}", _schema, StringComparison.Ordinal);

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}
