namespace Coppice.Sqlite;

/// <summary>The writer's statements on threads and the heads of their mailboxes.</summary>
internal sealed class ThreadTable(Connection connection)
{
    private const string Columns = "n, id, last_seq, acked, customs, terminals, messages";

    private readonly Statement _number = connection.Prepare("SELECT n FROM threads WHERE id = ?");
    private readonly Statement _id = connection.Prepare("SELECT id FROM threads WHERE n = ?");
    private readonly Statement _head = connection.Prepare($"SELECT {Columns} FROM threads WHERE id = ?");
    private readonly Statement _add = connection.Prepare("INSERT INTO threads (id) VALUES (?)");
    private readonly Statement _post = connection.Prepare(
        $"""
        UPDATE threads SET last_seq = last_seq + ?, customs = customs + ?, terminals = terminals + ?, messages = messages + ?
        WHERE n = ? RETURNING {Columns}
        """);

    private readonly Statement _release = connection.Prepare(
        $"""
        UPDATE threads SET acked = max(acked, ?), customs = customs - ?, terminals = terminals - ?, messages = messages - ?
        WHERE n = ? RETURNING {Columns}
        """);

    // Apart from the counts, because setting it touches an index.
    private readonly Statement _wakes = connection.Prepare("UPDATE threads SET wakes = ? WHERE n = ?");

    public long? Find(string id) => _number.Bind(id).Scalar();

    public string IdOf(long number)
    {
        using var rows = _id.Bind(number).Rows();
        rows.Next();
        return rows.Text(0);
    }

    public long Ensure(string id)
    {
        if (Find(id) is { } known)
        {
            return known;
        }

        _add.Bind(id).Run();
        return connection.LastInsertKey;
    }

    public ThreadHead? Head(string id)
    {
        using var rows = _head.Bind(id).Rows();
        return rows.Next() ? Read(rows) : null;
    }

    /// <summary>Makes room for mail and returns the head as it is with it.</summary>
    public ThreadHead Post(long number, MailCounts mail)
    {
        ThreadHead head;
        using (var rows = _post.Bind(mail.Total).Bind(mail.Customs).Bind(mail.Terminals).Bind(mail.Messages).Bind(number).Rows())
        {
            rows.Next();
            head = Read(rows);
        }

        if (mail.Waking > 0 && head.Unacknowledged.Waking == mail.Waking)
        {
            _wakes.Bind(1).Bind(number).Run();
        }

        return head;
    }

    /// <summary>Takes mail that is gone out of the counts.</summary>
    public ThreadHead Release(long number, long acknowledged, MailCounts mail)
    {
        ThreadHead head;
        using (var rows = _release.Bind(acknowledged).Bind(mail.Customs).Bind(mail.Terminals).Bind(mail.Messages).Bind(number).Rows())
        {
            rows.Next();
            head = Read(rows);
        }

        if (mail.Waking > 0 && head.Unacknowledged.Waking == 0)
        {
            _wakes.Bind(0).Bind(number).Run();
        }

        return head;
    }

    private static ThreadHead Read(Statement.RowScope rows) => new(
        rows.Number(0), rows.Text(1), rows.Number(2), rows.Number(3),
        new MailCounts((int)rows.Number(4), (int)rows.Number(5), (int)rows.Number(6)));
}
