using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>Reads mail, and notes down how far its reader has come.</summary>
internal sealed class MailboxRead(Database database)
{
    internal const string PageSql =
        """
        SELECT h.owner_thread_id, h.read_through, m.seq, m.json FROM {schema}.threads h
        LEFT JOIN LATERAL (SELECT seq, json FROM {schema}.mail
            WHERE owner_thread_id = h.owner_thread_id AND seq > $3 ORDER BY seq LIMIT $4) m ON true
        WHERE h.owner_thread_id = (SELECT owner_thread_id FROM {schema}.thread_ids WHERE {schema}.index_key(id) = {schema}.index_key($1)) AND h.reader = $2
        ORDER BY m.seq
        """;

    // What a crash of the server can take back is only that mail was read, so nobody waits for the disk.
    private const string LockSql =
        """
        SELECT set_config('synchronous_commit', 'off', true) FROM {schema}.threads WHERE owner_thread_id = $1 AND reader = $2 FOR NO KEY UPDATE
        """;

    // A statement of its own, after that of the lock: it sees what the last holder of the lock has left. Mail that was passed over counts as read.
    private const string MarkSql =
        """
        UPDATE {schema}.threads h SET version = h.version + 1, read_through = $3, unread_customs = h.unread_customs - m.customs,
            unread_terminals = h.unread_terminals - m.terminals, unread_messages = h.unread_messages - m.messages
        FROM (SELECT count(*) FILTER (WHERE class = 0) AS customs, count(*) FILTER (WHERE class = 1) AS terminals,
                count(*) FILTER (WHERE class = 2) AS messages
            FROM {schema}.mail WHERE owner_thread_id = $1 AND seq <= $3
                AND seq > (SELECT read_through FROM {schema}.threads WHERE owner_thread_id = $1)) m
        WHERE h.owner_thread_id = $1 AND h.reader = $2 AND h.read_through < $3
        RETURNING h.version, h.unread_customs, h.unread_terminals, h.unread_messages
        """;

    /// <summary>Gets or sets who hears what was taken as read.</summary>
    public Action<ReadMark>? Marked { get; set; }

    public async ValueTask<MailPage> RunAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                var page = await ReadAsync(threadId, reader, afterSequence, limit, cancellationToken).ConfigureAwait(false);
                return page.Items.Count == 0 || page.Items[^1].Sequence <= page.ReadThrough
                    || await MarkAsync(page.Thread, reader, page.Items[^1].Sequence, cancellationToken).ConfigureAwait(false)
                        ? new MailPage(page.IsReader, page.Items)
                        : new MailPage(IsReader: false, []);
            }
            catch (NpgsqlException e) when (isFirst && StoreFaults.IsStale(e))
            {
                // To read it, and to take it as read, a second time does no harm.
            }
            catch (NpgsqlException e)
            {
                throw StoreFaults.From(e, database.Place);
            }
        }
    }

    private async ValueTask<Page> ReadAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        var connection = await database.OpenReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var command = database.CreateCommand(
                connection, PageSql, [Parameter.Of(threadId), Parameter.Of(reader), Parameter.Of(afterSequence), Parameter.Of(limit)]);
            await using var usedCommand = command.ConfigureAwait(false);
            var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (rows.ConfigureAwait(false))
            {
                var page = new Page(IsReader: false, 0, 0, []);
                while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    var row = new RowScope(rows);
                    page = page with { IsReader = true, Thread = row.Number(0), ReadThrough = row.Number(1) };
                    if (row.NumberOrNull(2) is { } sequence)
                    {
                        page.Items.Add(new InboxItem(sequence, MailEventJson.Deserialize(row.Text(3))));
                    }
                }

                return page;
            }
        }
    }

    /// <summary>Takes mail as read, unless another has taken the mailbox over.</summary>
    /// <returns>Whether the reader still has it.</returns>
    private async ValueTask<bool> MarkAsync(long thread, Guid reader, long through, CancellationToken cancellationToken)
    {
        var connection = await database.OpenReaderAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var batch = database.CreateBatch(
                connection,
                (LockSql, [Parameter.Of(thread), Parameter.Of(reader)]),
                (MarkSql, [Parameter.Of(thread), Parameter.Of(reader), Parameter.Of(through)]));
            await using var usedBatch = batch.ConfigureAwait(false);
            var rows = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            ReadMark? mark = null;
            bool isReader;
            await using (rows.ConfigureAwait(false))
            {
                isReader = await rows.ReadAsync(cancellationToken).ConfigureAwait(false);
                if (await rows.NextResultAsync(cancellationToken).ConfigureAwait(false) && await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    mark = new ReadMark(
                        thread, rows.GetInt64(0), reader, through, new MailCounts(rows.GetInt32(1), rows.GetInt32(2), rows.GetInt32(3)));
                }

                while (await rows.NextResultAsync(cancellationToken).ConfigureAwait(false))
                {
                }
            }

            // Only now it has landed.
            if (mark is { } marked)
            {
                Marked?.Invoke(marked);
            }

            return isReader;
        }
    }

    private readonly record struct Page(bool IsReader, long Thread, long ReadThrough, List<InboxItem> Items);
}
