using System.Globalization;
using System.Text.Json;

namespace Coppice.Sqlite;

/// <summary>A connection for reading and its statements, prepared when they are first used.</summary>
internal sealed class StoreReader(Connection connection) : IDisposable
{
    private const int MaxListStatements = 32;

    private static readonly string GetSql = $"SELECT {TaskRow.Columns} FROM tasks t {TaskRow.Joins} WHERE t.n = ?";

    // An entry's sequence is its place and one more.
    internal static readonly string ConversationSql = string.Create(CultureInfo.InvariantCulture, $"""
        SELECT t.entries, c.json FROM threads t
        LEFT JOIN conversations c ON c.place > (t.n << {MailPlace.SequenceBits}) + ? AND c.place <= (t.n << {MailPlace.SequenceBits}) + t.entries
        WHERE t.id = ? ORDER BY c.place LIMIT ?
        """);

    internal const string ThreadsThatWakeSql =
        "SELECT id FROM threads t INDEXED BY threads_that_wake WHERE wakes = 1 AND NOT EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_waiting_agents "
        + "WHERE agent_thread = t.n AND kind IS NOT NULL AND state = 0) ORDER BY n";

    internal const string StepsSql =
        "SELECT name, key, after, is_fork, error, result FROM steps INDEXED BY steps_by_place WHERE task = ? AND place >= ? ORDER BY place LIMIT ?";

    private readonly Dictionary<string, Statement> _fixed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Statement> _lists = new(StringComparer.Ordinal);

    public TaskSnapshot? Get(string taskId)
    {
        if (Number(taskId) is not { } number)
        {
            return null;
        }

        using var rows = Prepared(GetSql).Bind(number).Rows();
        return rows.Next() ? TaskRow.Read(rows) : null;
    }

    public IReadOnlyList<TaskSnapshot> List(TaskQuery query, TaskCursor? after, int limit)
    {
        if (query.States is { Count: 0 })
        {
            return [];
        }

        var list = new ListStatement(query, after, limit);
        var statement = PreparedList(list.Sql);
        list.BindTo(statement);
        var tasks = new List<TaskSnapshot>();
        using var rows = statement.Rows();
        while (rows.Next())
        {
            tasks.Add(TaskRow.Read(rows));
        }

        return tasks;
    }

    public bool HasLive(string threadId) =>
        Prepared("SELECT 1 FROM tasks INDEXED BY tasks_live WHERE owner = (SELECT n FROM threads WHERE id = ?) AND state < 3 LIMIT 1")
            .Bind(threadId).Scalar() is not null;

    public string? FindLiveChild(TaskLineage parent, string nameOrTaskId)
    {
        if (!string.IsNullOrEmpty(parent.TaskId))
        {
            return Number(parent.TaskId) is { } parentNumber
                ? FindById("SELECT 1 FROM tasks WHERE n = ? AND parent = ? AND state < 3", nameOrTaskId, statement => statement.Bind(parentNumber))
                    ?? FindByName(
                        "SELECT b.n FROM branches b JOIN tasks t ON t.n = b.n WHERE b.parent = ? AND b.name = ? AND t.state < 3 ORDER BY b.n LIMIT 1",
                        statement => statement.Bind(parentNumber).Bind(nameOrTaskId))
                : null;
        }

        return string.IsNullOrEmpty(parent.RunId)
            ? null
            : FindById("SELECT 1 FROM tasks WHERE n = ? AND run_id = ? AND parent IS NULL AND state < 3", nameOrTaskId, statement => statement.Bind(parent.RunId))
                ?? FindByName(
                    "SELECT b.n FROM branches b JOIN tasks t ON t.n = b.n WHERE b.run_id = ? AND b.name = ? AND t.state < 3 ORDER BY b.n LIMIT 1",
                    statement => statement.Bind(parent.RunId).Bind(nameOrTaskId));
    }

    public IReadOnlyList<InboxItem> ReadMail(string threadId, long afterSequence, int limit)
    {
        var items = new List<InboxItem>();
        if (Thread(threadId) is not { } thread)
        {
            return items;
        }

        using var rows = Prepared("SELECT place, json FROM mail WHERE place > ? AND place <= ? ORDER BY place LIMIT ?")
            .Bind(MailPlace.Through(thread, afterSequence)).Bind(MailPlace.Through(thread, long.MaxValue)).Bind(limit).Rows();
        while (rows.Next())
        {
            items.Add(new InboxItem(MailPlace.SequenceAt(rows.Number(0)), MailEventJson.Deserialize(rows.Text(1))));
        }

        return items;
    }

    /// <summary>Reads count and entries in one statement, so that they are of one moment.</summary>
    public ConversationPage ReadConversation(string threadId, int from, int limit)
    {
        var (count, entries) = (0, new List<JsonElement>());
        using var rows = Prepared(ConversationSql).Bind(from).Bind(threadId).Bind(limit).Rows();
        while (rows.Next())
        {
            count = (int)rows.Number(0);
            if (rows.TextOrNull(1) is { } json)
            {
                entries.Add(TaskRow.ReadJson(json));
            }
        }

        return new ConversationPage(count, entries);
    }

    public IReadOnlyList<TaskStep> ReadSteps(string taskId, int from, int limit)
    {
        var steps = new List<TaskStep>();
        if (Number(taskId) is not { } number)
        {
            return steps;
        }

        using var rows = Prepared(StepsSql).Bind(number).Bind(from).Bind(limit).Rows();
        while (rows.Next())
        {
            steps.Add(new TaskStep
            {
                Name = rows.Text(0),
                Key = rows.Text(1),
                After = rows.Text(2),
                IsFork = rows.Number(3) != 0,
                Error = rows.TextOrNull(4),
                Result = rows.TextOrNull(5) is { } json ? TaskRow.ReadJson(json) : null,
            });
        }

        return steps;
    }

    /// <summary>Counts mail after one sequence and up to another.</summary>
    public MailCounts CountMail(string threadId, long afterSequence, long throughSequence)
    {
        var counts = default(MailCounts);
        if (Thread(threadId) is not { } thread)
        {
            return counts;
        }

        using var rows = Prepared("SELECT class, count(*) FROM mail WHERE place > ? AND place <= ? GROUP BY class")
            .Bind(MailPlace.Through(thread, afterSequence)).Bind(MailPlace.Through(thread, throughSequence)).Rows();
        while (rows.Next())
        {
            counts += MailCounts.Of((MailClass)rows.Number(0), (int)rows.Number(1));
        }

        return counts;
    }

    public int CountUnacknowledgedEvents(string threadId) =>
        (int)(Prepared("SELECT customs FROM threads WHERE id = ?").Bind(threadId).Scalar() ?? 0);

    /// <summary>The threads with mail that calls for a reader, without those of agents that are about to have one.</summary>
    public IReadOnlyList<string> ThreadsThatWake()
    {
        var threads = new List<string>();
        using var rows = Prepared(ThreadsThatWakeSql).Rows();
        while (rows.Next())
        {
            threads.Add(rows.Text(0));
        }

        return threads;
    }

    public IReadOnlyList<DeadLetter> DeadLetters(string threadId)
    {
        var letters = new List<DeadLetter>();
        using var rows = Prepared(
            "SELECT seq, json, reason FROM failed_messages WHERE recipient = (SELECT n FROM threads WHERE id = ?) AND box = 2 ORDER BY seq")
            .Bind(threadId).Rows();
        while (rows.Next())
        {
            letters.Add(new DeadLetter(rows.Number(0), MailEventJson.Deserialize(rows.Text(1)), rows.Text(2)));
        }

        return letters;
    }

    public IReadOnlyList<FailedMessage> FailedMessages(string senderId)
    {
        var failed = new List<FailedMessage>();
        using var rows = Prepared(
            "SELECT f.n, t.id, f.json, f.reason, f.attempts, f.failed_ms FROM failed_messages f JOIN threads t ON t.n = f.recipient "
            + "WHERE f.sender = (SELECT n FROM threads WHERE id = ?) ORDER BY f.n").Bind(senderId).Rows();
        while (rows.Next())
        {
            failed.Add(FailedMessage.Of(
                rows.Number(0), senderId, rows.Text(1), MailEventJson.Deserialize(rows.Text(2)), rows.Text(3), (int)rows.Number(4), rows.Time(5)));
        }

        return failed;
    }

    /// <summary>When a message expires next or an id is to be forgotten.</summary>
    public DateTimeOffset? NextExpiry()
    {
        using var rows = Prepared(
            "SELECT (SELECT min(expires_ms) FROM message_ids WHERE expires_ms IS NOT NULL), "
            + "(SELECT min(forget_ms) FROM message_ids WHERE forget_ms IS NOT NULL)").Rows();
        rows.Next();
        var next = Math.Min(rows.NumberOrNull(0) ?? long.MaxValue, rows.NumberOrNull(1) ?? long.MaxValue);
        return next == long.MaxValue
            ? null : DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(next, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));
    }

    public long MailDepth() => Prepared("SELECT mail_depth FROM meta").Scalar() ?? 0;

    public void Dispose() => connection.Dispose();

    private long? Thread(string threadId) => Prepared("SELECT n FROM threads WHERE id = ?").Bind(threadId).Scalar();

    private long? Number(string taskId) =>
        TaskIds.TryParse(taskId, out var number) ? number : Prepared("SELECT n FROM foreign_ids WHERE id = ?").Bind(taskId).Scalar();

    private string? FindById(string sql, string taskId, Func<Statement, Statement> bindParent) =>
        Number(taskId) is { } number && bindParent(Prepared(sql).Bind(number)).Scalar() is not null ? taskId : null;

    private string? FindByName(string sql, Func<Statement, Statement> bind)
    {
        if (bind(Prepared(sql)).Scalar() is not { } number)
        {
            return null;
        }

        if (number < Schema.FirstForeign)
        {
            return TaskIds.Format(number);
        }

        using var rows = Prepared("SELECT id FROM foreign_ids WHERE n = ?").Bind(number).Rows();
        rows.Next();
        return rows.Text(0);
    }

    private Statement Prepared(string sql)
    {
        if (!_fixed.TryGetValue(sql, out var statement))
        {
            _fixed.Add(sql, statement = connection.Prepare(sql));
        }

        return statement;
    }

    private Statement PreparedList(string sql)
    {
        if (_lists.TryGetValue(sql, out var statement))
        {
            return statement;
        }

        if (_lists.Count == MaxListStatements)
        {
            foreach (var old in _lists.Values)
            {
                connection.Release(old);
            }

            _lists.Clear();
        }

        _lists.Add(sql, statement = connection.Prepare(sql));
        return statement;
    }
}
