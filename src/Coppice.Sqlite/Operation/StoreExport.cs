using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite;

/// <summary>
/// All that a file holds, as rows of the tables that a store for many hosts has: each a list of whole numbers, texts and nulls, under names
/// of tables and columns that both sides know. Who reads it holds the store, so that nothing changes meanwhile.
/// </summary>
internal sealed class StoreExport : IDisposable
{
    private const string ParentOwner = "CASE WHEN t.parent IS NOT NULL THEN (SELECT p.owner FROM tasks p WHERE p.n = t.parent) END";
    private const string OfTask = "JOIN tasks t ON t.n =";

    private static readonly string Thread = $"place >> {MailPlace.SequenceBits}";
    private static readonly string Sequence = $"place & {(1L << MailPlace.SequenceBits) - 1}";

    private static readonly Dictionary<string, (string Columns, string Sql)> Tables = new(StringComparer.Ordinal)
    {
        ["thread_ids"] = ("owner_thread_id, id", "SELECT n, id FROM threads"),
        ["threads"] = (
            "owner_thread_id, last_seq, acked, customs, terminals, messages, entries, wakes",
            "SELECT n, last_seq, acked, customs, terminals, messages, entries, wakes FROM threads"),
        ["foreign_ids"] = ("n, id", "SELECT n, id FROM foreign_ids"),
        ["task_ids"] = ("n, owner_thread_id", "SELECT n, owner FROM tasks"),
        ["tasks"] = (
            "owner_thread_id, n, created_ms, completed_ms, cancel_ms, parent, parent_owner, agent_thread, continues, kind, events_through, state, notify, "
            + "agent_open, type, name, run_id, call_id, agent_id, cancelled_by, description, error, result",
            $"""
            SELECT t.owner, t.n, t.created_ms, t.completed_ms, t.cancel_ms, t.parent, {ParentOwner}, t.agent_thread, t.continues, t.kind, t.events_through,
                t.state, t.notify, t.agent_open, t.type, t.name, t.run_id, t.call_id, t.agent_id, t.cancelled_by, t.description, t.error, t.result
            FROM tasks t
            """),

        // Here a branch has only what hangs on something; there everything that is live has one.
        ["branches"] = (
            "owner_thread_id, n, parent, parent_owner, agent_thread, kind, ended, name, run_id",
            $"""
            SELECT t.owner, t.n, t.parent, {ParentOwner}, t.agent_thread, t.kind, t.state >= 3, t.name, CASE WHEN t.parent IS NULL THEN t.run_id END
            FROM tasks t WHERE t.state < 3 OR EXISTS (SELECT 1 FROM branches b WHERE b.n = t.n)
            """),
        ["kinds"] = ("n, name", "SELECT n, name FROM kinds"),
        ["kind_crashes"] = ("kind, at_ms, epoch", "SELECT kind, at_ms, epoch FROM kind_crashes"),
        ["work"] = (
            "owner_thread_id, n, kind, version, max_crashes, priority, attempt, failures, crashes, claim, rank, due_ms, expires_ms, deadline_ms, recovery, "
            + "has_steps, has_checkpoint, restored, key, last_error, input",
            $"""
            SELECT t.owner, w.n, t.kind, w.version, w.max_crashes, w.priority, w.attempt, w.failures, w.crashes, w.claim, w.rank, w.due_ms, w.expires_ms,
                w.deadline_ms, w.recovery, w.has_steps, w.has_checkpoint, w.key IS NOT NULL AND w.owner IS NULL, w.key, w.last_error, i.json
            FROM work w {OfTask} w.n JOIN inputs i ON i.n = w.n
            """),
        ["lanes"] = (
            "owner_thread_id, kind, ready, running, priority, version, turn",
            $"SELECT n & {(1L << (63 - MailPlace.SequenceBits)) - 1}, kind, ready, running, priority, version, turn FROM lanes"),
        ["checkpoints"] = ("owner_thread_id, n, json", $"SELECT t.owner, c.n, c.json FROM checkpoints c {OfTask} c.n"),
        ["steps"] = (
            "owner_thread_id, n, place, is_fork, name, key, after, error, result",
            $"SELECT t.owner, s.task, s.place, s.is_fork, s.name, s.key, s.after, s.error, s.result FROM steps s {OfTask} s.task"),
        ["mail"] = ("owner_thread_id, seq, task, class, json", $"SELECT {Thread}, {Sequence}, task, class, json FROM mail"),
        ["conversations"] = ("owner_thread_id, entry, json", $"SELECT {Thread}, ({Sequence}) - 1, json FROM conversations"),
        ["message_ids"] = (
            "owner_thread_id, place, keep_ms, expires_ms, forget_ms, box, id", "SELECT thread, place, keep_ms, expires_ms, forget_ms, box, id FROM message_ids"),
        ["outbox"] = ("owner_thread_id, n, recipient, attempts, due_ms, json", "SELECT sender, n, recipient, attempts, due_ms, json FROM outbox"),
        ["failed_messages"] = (
            "owner_thread_id, n, recipient, seq, failed_ms, attempts, box, json, reason",
            "SELECT sender, n, recipient, seq, failed_ms, attempts, box, json, reason FROM failed_messages"),
    };

    // By the names that they have there: the next that each is to give out.
    private static readonly Dictionary<string, string> Next = new(StringComparer.Ordinal)
    {
        ["task"] = "SELECT next_task FROM meta",
        ["foreign_numbers"] = "SELECT next_foreign FROM meta",
        ["revisions"] = "SELECT revision + 1 FROM meta",
        ["epochs"] = "SELECT next_epoch FROM meta",
        ["claims"] = "SELECT last_claim + 1 FROM meta",
        ["turns"] = "SELECT last_turn + 1 FROM meta",
        ["thread_ids"] = "SELECT coalesce(max(n), 0) + 1 FROM threads",
        ["kinds"] = "SELECT coalesce(max(n), 0) + 1 FROM kinds",
        ["outbox"] = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0) + 1",
        ["failed_messages"] = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'failed_messages'), 0) + 1",
    };

    private readonly Connection _connection;
    private readonly string _path;

    private StoreExport(Connection connection, string path)
    {
        _connection = connection;
        _path = path;
    }

    /// <summary>Opens a file as it is at this moment.</summary>
    /// <exception cref="TaskStoreException">It cannot be read.</exception>
    public static StoreExport Open(string path)
    {
        var file = new StoreFile(StoreFile.Resolve(path), new SqliteTaskStoreOptions { CreateIfMissing = false });
        file.Prepare();
        try
        {
            var connection = file.OpenReaderOnly();
            connection.Execute("BEGIN");
            return new StoreExport(connection, file.Path);
        }
        catch (SqliteException e)
        {
            throw StoreFaults.From(e, file.Path, notCommitted: true);
        }
    }

    /// <summary>Who has a store, fit to be shown; <see langword="null"/> when nobody has.</summary>
    public static string? HolderOf(string path) => StoreFile.Resolve(path) is var file && StoreLock.IsTaken(file) ? Holder(file) : null;

    /// <summary>Who has a store that somebody has.</summary>
    public static string Holder(string path) =>
        StoreLock.HolderOf(path) is { } id ? string.Create(CultureInfo.InvariantCulture, $"process {id}") : "another process";

    /// <summary>How many tasks and messages a host has in its hands. There are none once hosts have left the store.</summary>
    public long CountHeld() =>
        Number(
            "SELECT (SELECT count(*) FROM tasks INDEXED BY tasks_held WHERE host_epoch > 0 AND state < 3) + (SELECT count(*) FROM outbox WHERE claim IS NOT NULL)");

    public long Count(string table) => Number($"SELECT count(*) FROM ({Tables[table].Sql})");

    /// <summary>The number that something is to give out next.</summary>
    public long NextOf(string name) => Number(Next[name]);

    /// <summary>All rows of a table.</summary>
    /// <param name="table">Its name.</param>
    /// <param name="columns">The columns that are wanted, which are those that it has.</param>
    public IEnumerable<object?[]> Rows(string table, string columns)
    {
        if (!Tables.TryGetValue(table, out var known) || known.Columns != columns)
        {
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A file has no such columns of {table}: {columns}"));
        }

        return Read(known.Sql, columns.Count(static c => c == ',') + 1);
    }

    public void Dispose() => _connection.Dispose();

    private IEnumerable<object?[]> Read(string sql, int columns)
    {
        using var statement = new Statement(_connection, sql);
        using var rows = statement.Rows();
        while (Guard(() => rows.Next()))
        {
            var row = new object?[columns];
            for (var column = 0; column < columns; column++)
            {
                row[column] = rows.IsNull(column) ? null : rows.IsText(column) ? rows.Text(column) : rows.Number(column);
            }

            yield return row;
        }
    }

    private long Number(string sql) => Guard(() => _connection.Scalar(sql)) ?? 0;

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException e)
        {
            throw StoreFaults.From(e, _path, notCommitted: true);
        }
    }
}
