using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>The reads of a store, each on a connection of the pool, beside the writers and beside each other.</summary>
internal sealed partial class StoreReader(Database database)
{
    /// <summary>The thread of an id.</summary>
    private const string ThreadOf = "(SELECT owner_thread_id FROM {schema}.thread_ids WHERE {schema}.index_key(id) = {schema}.index_key($1))";

    /// <summary>The number of a task, of which it is told the number where the id is of the form that stores give, else the id.</summary>
    private const string NumberOf = "coalesce($1, (SELECT n FROM {schema}.foreign_ids WHERE {schema}.index_key(id) = {schema}.index_key($2)))";

    // OFFSET keeps the planner from looking for the number among the tasks of all threads.
    internal const string GetSql =
        $$"""
        SELECT {{TaskRow.Columns}} FROM {schema}.task_ids i
        CROSS JOIN LATERAL (SELECT * FROM {schema}.tasks WHERE owner_thread_id = i.owner_thread_id AND n = i.n OFFSET 0) t
        {{TaskRow.Joins}} WHERE i.n = {{NumberOf}}
        """;

    internal const string HasLiveSql =
        $$"""SELECT 1 FROM {schema}.branches WHERE owner_thread_id = {{ThreadOf}} AND NOT ended LIMIT 1""";

    // By id first. OFFSET has the number found once and not wherever it is used.
    internal const string ChildOfTaskSql =
        $$"""
        SELECT c.n, (SELECT id FROM {schema}.foreign_ids f WHERE f.n = c.n AND c.n >= {{TaskRow.FirstForeignSql}}) FROM (SELECT coalesce(
            (SELECT b.n FROM {schema}.task_ids i JOIN {schema}.branches b ON b.owner_thread_id = i.owner_thread_id AND b.n = i.n
                WHERE i.n = {{NumberOf}} AND b.parent = p.n AND NOT b.ended),
            (SELECT b.n FROM {schema}.branches b WHERE b.parent = p.n AND b.name = $2 AND NOT b.ended ORDER BY b.n LIMIT 1)) AS n
            FROM (SELECT coalesce($3, (SELECT n FROM {schema}.foreign_ids WHERE {schema}.index_key(id) = {schema}.index_key($4))) AS n OFFSET 0) p OFFSET 0) c
        WHERE c.n IS NOT NULL
        """;

    // IS NOT TRUE keeps the planner from the index of names, which begins with the thread, while nothing is stored and all cost the same.
    internal const string ChildOfRunSql =
        $$"""
        SELECT c.n, (SELECT id FROM {schema}.foreign_ids f WHERE f.n = c.n AND c.n >= {{TaskRow.FirstForeignSql}}) FROM (SELECT coalesce(
            (SELECT b.n FROM {schema}.task_ids i JOIN {schema}.branches b ON b.owner_thread_id = i.owner_thread_id AND b.n = i.n
                WHERE i.n = {{NumberOf}} AND b.run_id = $3 AND b.parent IS NULL AND NOT b.ended),
            (SELECT b.n FROM {schema}.branches b WHERE hashtextextended(b.run_id, 0) = hashtextextended($3, 0) AND b.run_id = $3 AND b.name = $2
                AND b.ended IS NOT TRUE ORDER BY b.n LIMIT 1)) AS n OFFSET 0) c
        WHERE c.n IS NOT NULL
        """;

    // Count and entries in one statement, so that they are of one moment.
    internal const string ConversationSql =
        $$"""
        SELECT h.entries, c.json FROM {schema}.threads h
        LEFT JOIN LATERAL (SELECT entry, json FROM {schema}.conversations
            WHERE owner_thread_id = h.owner_thread_id AND entry >= $2 AND entry < h.entries ORDER BY entry LIMIT $3) c ON true
        WHERE h.owner_thread_id = {{ThreadOf}} ORDER BY c.entry
        """;

    internal const string StepsSql =
        $$"""
        SELECT name, key, after, is_fork, error, result FROM {schema}.steps
        WHERE owner_thread_id = (SELECT owner_thread_id FROM {schema}.task_ids WHERE n = {{NumberOf}}) AND n = {{NumberOf}} AND place >= $3
        ORDER BY place LIMIT $4
        """;

    internal const string UnreadEventsSql =
        $$"""SELECT CASE WHEN reader IS NULL THEN customs ELSE unread_customs END FROM {schema}.threads WHERE owner_thread_id = {{ThreadOf}}""";

    // Without the threads of agents that are about to have a reader: a host will begin them.
    internal const string ThreadsThatWakeSql =
        """
        SELECT (SELECT id FROM {schema}.thread_ids i WHERE i.owner_thread_id = h.owner_thread_id) FROM {schema}.threads h
        WHERE h.wakes AND h.reader IS NULL AND NOT EXISTS (
            SELECT FROM {schema}.branches b JOIN {schema}.tasks t ON t.owner_thread_id = b.owner_thread_id AND t.n = b.n
            WHERE b.agent_thread = h.owner_thread_id AND NOT b.ended AND b.kind IS NOT NULL AND t.state = 0)
        ORDER BY h.owner_thread_id
        """;

    internal const string DeadLettersSql =
        $$"""SELECT seq, json, reason FROM {schema}.failed_messages WHERE recipient = {{ThreadOf}} AND box = 2 ORDER BY seq""";

    internal const string FailedMessagesSql =
        $$"""
        SELECT n, (SELECT id FROM {schema}.thread_ids i WHERE i.owner_thread_id = f.recipient), json, reason, attempts, failed_ms
        FROM {schema}.failed_messages f WHERE owner_thread_id = {{ThreadOf}} ORDER BY n
        """;

    internal const string NextExpirySql =
        """
        SELECT least((SELECT min(expires_ms) FROM {schema}.message_ids WHERE expires_ms IS NOT NULL),
            (SELECT min(forget_ms) FROM {schema}.message_ids WHERE forget_ms IS NOT NULL))
        """;

    private const string MailDepthSql = "SELECT coalesce(sum(customs::bigint + terminals + messages), 0)::bigint FROM {schema}.threads";

    private readonly MailboxRead _mailbox = new(database);

    public async ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        StoredText.CanHold(taskId)
            ? await FirstAsync(GetSql, Task(taskId), static row => TaskRow.Read(row), cancellationToken).ConfigureAwait(false)
            : null;

    public async ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        var list = new ListQuery(query, after, limit);
        return list.CanMatch
            ? await RowsAsync(list.Sql, list.Values, static row => TaskRow.Read(row), cancellationToken).ConfigureAwait(false)
            : [];
    }

    public async ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken) =>
        StoredText.CanHold(ownerThreadId)
        && await FirstAsync(HasLiveSql, [Parameter.Of(ownerThreadId)], static row => row.Number(0), cancellationToken).ConfigureAwait(false) == 1;

    public async ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken)
    {
        if (!StoredText.CanHold(parent.TaskId) || !StoredText.CanHold(parent.RunId) || !StoredText.CanHold(nameOrTaskId))
        {
            return null;
        }

        return !string.IsNullOrEmpty(parent.TaskId)
                ? await FirstAsync(ChildOfTaskSql, [.. Task(nameOrTaskId), .. Task(parent.TaskId)], ReadId, cancellationToken).ConfigureAwait(false)
            : !string.IsNullOrEmpty(parent.RunId)
                ? await FirstAsync(ChildOfRunSql, [.. Task(nameOrTaskId), Parameter.Of(parent.RunId)], ReadId, cancellationToken).ConfigureAwait(false)
            : null;

        static string? ReadId(RowScope row) => TaskRow.ReadId(row, 0);
    }

    /// <summary>Sets who hears what mail was taken as read.</summary>
    public Action<ReadMark> Marked
    {
        set => _mailbox.Marked = value;
    }

    public ValueTask<MailPage> ReadMailAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken) =>
        StoredText.CanHold(threadId)
            ? _mailbox.RunAsync(threadId, reader, afterSequence, limit, cancellationToken)
            : ValueTask.FromResult(new MailPage(IsReader: false, []));

    public async ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken)
    {
        if (!StoredText.CanHold(threadId))
        {
            return new ConversationPage(0, []);
        }

        var rows = await RowsAsync(ConversationSql, [Parameter.Of(threadId), Parameter.Of(from), Parameter.Of(limit)],
            static row => (Count: (int)row.Number(0), Entry: TaskRow.ReadJsonOrNull(row, 1)), cancellationToken).ConfigureAwait(false);
        return rows.Count == 0
            ? new ConversationPage(0, [])
            : new ConversationPage(rows[0].Count, [.. rows.Where(static row => row.Entry is not null).Select(static row => row.Entry!.Value)]);
    }

    public async ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken) =>
        StoredText.CanHold(taskId)
            ? await RowsAsync(StepsSql, [.. Task(taskId), Parameter.Of(from), Parameter.Of(limit)], static row => new TaskStep
            {
                Name = row.Text(0),
                Key = row.Text(1),
                After = row.Text(2),
                IsFork = row.Flag(3),
                Error = row.TextOrNull(4),
                Result = TaskRow.ReadJsonOrNull(row, 5),
            }, cancellationToken).ConfigureAwait(false)
            : [];

    public async ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken) =>
        StoredText.CanHold(threadId)
            ? await FirstAsync(UnreadEventsSql, [Parameter.Of(threadId)], static row => (int)row.Number(0), cancellationToken).ConfigureAwait(false)
            : 0;

    public async ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken) =>
        await RowsAsync(ThreadsThatWakeSql, [], static row => row.Text(0), cancellationToken).ConfigureAwait(false);

    public async ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken) =>
        StoredText.CanHold(threadId)
            ? await RowsAsync(DeadLettersSql, [Parameter.Of(threadId)],
                static row => new DeadLetter(row.Number(0), MailEventJson.Deserialize(row.Text(1)), row.Text(2)), cancellationToken).ConfigureAwait(false)
            : [];

    public async ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken) =>
        StoredText.CanHold(threadId)
            ? await RowsAsync(FailedMessagesSql, [Parameter.Of(threadId)],
                row => FailedMessage.Of(
                    row.Number(0), threadId, row.Text(1), MailEventJson.Deserialize(row.Text(2)), row.Text(3), (int)row.Number(4), row.Time(5)),
                cancellationToken).ConfigureAwait(false)
            : [];

    /// <summary>When a message expires next or an id is to be forgotten.</summary>
    public async ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken) =>
        await FirstAsync(NextExpirySql, [], static row => row.NumberOrNull(0), cancellationToken).ConfigureAwait(false) is { } next
            ? DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(next, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()))
            : null;

    public ValueTask<long> MailDepthAsync(CancellationToken cancellationToken) =>
        FirstAsync(MailDepthSql, [], static row => row.Number(0), cancellationToken);

    /// <summary>The two values that <see cref="NumberOf"/> goes by.</summary>
    private static NpgsqlParameter[] Task(string taskId) =>
        [Parameter.Of(TaskIds.TryParse(taskId, out var number) ? number : null), Parameter.Of(taskId)];

    private async ValueTask<T?> FirstAsync<T>(
        string sql, IReadOnlyList<NpgsqlParameter> values, Func<RowScope, T> read, CancellationToken cancellationToken)
    {
        var rows = await RowsAsync(sql, values, read, cancellationToken).ConfigureAwait(false);
        return rows.Count > 0 ? rows[0] : default;
    }

    private async ValueTask<List<T>> RowsAsync<T>(
        string sql, IReadOnlyList<NpgsqlParameter> values, Func<RowScope, T> read, CancellationToken cancellationToken)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                var connection = await database.OpenReaderAsync(cancellationToken).ConfigureAwait(false);
                await using var usedConnection = connection.ConfigureAwait(false);
                return await ReadAsync(database.CreateCommand(connection, sql, values), read, cancellationToken).ConfigureAwait(false);
            }
            catch (NpgsqlException e) when (isFirst && StoreFaults.IsStale(e))
            {
                // The driver has let go of all connections that are as old.
            }
            catch (NpgsqlException e)
            {
                throw StoreFaults.From(e, database.Place, notCommitted: true);
            }
        }
    }

    private static async ValueTask<List<T>> ReadAsync<T>(NpgsqlCommand command, Func<RowScope, T> read, CancellationToken cancellationToken)
    {
        await using var usedCommand = command.ConfigureAwait(false);
        try
        {
            var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var usedReader = reader.ConfigureAwait(false);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                rows.Add(read(new RowScope(reader)));
            }

            return rows;
        }
        finally
        {
            // Another command may have to take them.
            command.Parameters.Clear();
        }
    }
}
