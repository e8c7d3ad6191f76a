namespace Coppice.Sqlite;

/// <summary>The writer's statements on threads and the heads of their mailboxes.</summary>
internal sealed class ThreadTable(Connection connection, Counters counters) : HeadTable<ThreadHead>(MaxHeads), IThreadRows
{
    private const int MaxHeads = 8192;
    private const string Columns = "n, id, last_seq, acked, customs, terminals, messages, wakes, entries";

    private readonly Statement _byId = connection.Prepare($"SELECT {Columns} FROM threads WHERE id = ?");
    private readonly Statement _byNumber = connection.Prepare($"SELECT {Columns} FROM threads WHERE n = ?");
    private readonly Statement _add = connection.Prepare("INSERT INTO threads (id) VALUES (?)");
    private readonly Statement _save = connection.Prepare(
        "UPDATE threads SET last_seq = ?, acked = ?, customs = ?, terminals = ?, messages = ?, entries = ? WHERE n = ?");

    // Apart from the counts, because setting it touches an index.
    private readonly Statement _wakes = connection.Prepare("UPDATE threads SET wakes = ? WHERE n = ?");

    private readonly Dictionary<string, ThreadHead> _headsById = new(StringComparer.Ordinal);

    public long? Find(string id) => Head(id)?.Number;

    public ThreadHead? Head(string id) =>
        _headsById.TryGetValue(id, out var known) ? known : Keep(_byId.Bind(id));

    public long Ensure(string id)
    {
        if (Find(id) is { } known)
        {
            return known;
        }

        _add.Bind(id).Run();
        return Keep(new ThreadHead(connection.LastInsertKey, id)).Number;
    }

    /// <summary>Makes room for mail and returns the head as it is with it.</summary>
    public ThreadHead Post(long number, MailCounts mail)
    {
        var head = Changing(number);
        head.LastSequence += mail.Total;
        head.Unacknowledged += mail;
        counters.MailDepth += mail.Total;
        return head;
    }

    /// <summary>Takes mail that is gone out of the counts.</summary>
    public void Release(long number, long acknowledged, MailCounts mail)
    {
        var head = Changing(number);
        head.Acknowledged = Math.Max(head.Acknowledged, acknowledged);
        head.Unacknowledged -= mail;
        counters.MailDepth -= mail.Total;
    }

    public void SetEntries(long number, int count) => Changing(number).Entries = count;

    public override void Forget()
    {
        base.Forget();
        _headsById.Clear();
    }

    protected override ThreadHead Read(long number) => Keep(_byNumber.Bind(number))!;

    protected override void Save(ThreadHead head)
    {
        var mail = head.Unacknowledged;
        _save.Bind(head.LastSequence).Bind(head.Acknowledged).Bind(mail.Customs).Bind(mail.Terminals).Bind(mail.Messages).Bind(head.Entries)
            .Bind(head.Number).Run();
        if (mail.Waking > 0 != head.IsStoredAsWaking)
        {
            head.IsStoredAsWaking = mail.Waking > 0;
            _wakes.Bind(head.IsStoredAsWaking ? 1 : 0).Bind(head.Number).Run();
        }
    }

    protected override ThreadHead Keep(ThreadHead head)
    {
        _headsById.Add(head.Id, head);
        return base.Keep(head);
    }

    private ThreadHead? Keep(Statement query)
    {
        using var rows = query.Rows();
        return rows.Next()
            ? Keep(new ThreadHead(rows.Number(0), rows.Text(1))
            {
                LastSequence = rows.Number(2),
                Acknowledged = rows.Number(3),
                Unacknowledged = new MailCounts((int)rows.Number(4), (int)rows.Number(5), (int)rows.Number(6)),
                IsStoredAsWaking = rows.Number(7) != 0,
                Entries = (int)rows.Number(8),
            })
            : null;
    }
}
