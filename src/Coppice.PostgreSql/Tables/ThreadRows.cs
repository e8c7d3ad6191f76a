namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on threads. A row is read once a transaction, under its lock, and what has become of it is written by
/// <see cref="Save"/>. Who has a mailbox open stands in the same row: <see cref="MailboxRows"/>.
/// </summary>
internal sealed class ThreadRows(WriterConnection connection, WriterConnection aside, ThreadMemory memory) : IThreadRows
{
    private readonly Statement _find = connection.Prepare("SELECT owner_thread_id FROM {schema}.thread_ids WHERE id = $1");
    private readonly Statement _idOf = connection.Prepare("SELECT id FROM {schema}.thread_ids WHERE owner_thread_id = $1");
    private readonly Statement _addId = aside.Prepare("INSERT INTO {schema}.thread_ids (id) VALUES ($1) ON CONFLICT (id) DO NOTHING");
    private readonly Statement _add = aside.Prepare(
        "INSERT INTO {schema}.threads (owner_thread_id) SELECT owner_thread_id FROM {schema}.thread_ids WHERE id = $1 ON CONFLICT DO NOTHING");

    private readonly Statement _get = connection.Prepare(
        """
        SELECT last_seq, acked, customs, terminals, messages, entries, wakes, reader, reader_epoch, reader_agent, read_through,
            unread_customs, unread_terminals, unread_messages
        FROM {schema}.threads WHERE owner_thread_id = $1
        """);

    private readonly Statement _save = connection.Prepare(
        """
        UPDATE {schema}.threads SET last_seq = $2, acked = $3, customs = $4, terminals = $5, messages = $6, entries = $7, wakes = $8,
            reader = $9, reader_epoch = $10, reader_agent = $11, read_through = $12, unread_customs = $13, unread_terminals = $14, unread_messages = $15
        WHERE owner_thread_id = $1
        """);

    private readonly Dictionary<long, ThreadEntry> _entries = [];
    private readonly List<ThreadEntry> _changed = [];
    private readonly HashSet<ThreadEntry> _saved = [];

    /// <summary>Gets or sets how many pieces of mail more than before are not acknowledged, by this transaction.</summary>
    public long MailChange { get; set; }

    public long? Find(string id)
    {
        if (memory.NumberOf(id) is { } known)
        {
            return known;
        }

        if (_find.Bind(id).Scalar() is not { } number)
        {
            return null;
        }

        memory.Add(id, number);
        return number;
    }

    public ThreadHead? Head(string id) => Find(id) is { } number ? Head(number) : null;

    public ThreadHead Head(long number) => Entry(number).Head;

    public long Ensure(string id)
    {
        if (Find(id) is { } known)
        {
            return known;
        }

        // Kept at once, whatever becomes of the transaction: two that need the same thread shall not wait for each other.
        _addId.Bind(id).Run();
        _add.Bind(id).Run();
        return Find(id)!.Value;
    }

    public ThreadHead Post(long number, MailCounts mail)
    {
        var head = Changing(number).Head;
        MailChange += mail.Total;
        head.LastSequence += mail.Total;
        head.Unacknowledged += mail;
        return head;
    }

    public void Release(long number, long acknowledged, MailCounts mail)
    {
        var head = Changing(number).Head;
        MailChange -= mail.Total;
        head.Acknowledged = Math.Max(head.Acknowledged, acknowledged);
        head.Unacknowledged -= mail;
    }

    public void SetEntries(long number, int count) => Changing(number).Head.Entries = count;

    /// <summary>A thread as the transaction has it.</summary>
    public ThreadEntry Entry(long number)
    {
        if (_entries.TryGetValue(number, out var known))
        {
            return known;
        }

        connection.Lock(number);
        var id = IdOf(number);
        using var rows = _get.Bind(number).Rows();
        rows.Next();
        var entry = new ThreadEntry(new ThreadHead(number, id)
        {
            LastSequence = rows.Number(0),
            Acknowledged = rows.Number(1),
            Unacknowledged = new MailCounts((int)rows.Number(2), (int)rows.Number(3), (int)rows.Number(4)),
            Entries = (int)rows.Number(5),
            IsStoredAsWaking = rows.Flag(6),
        })
        {
            Reader = rows.GuidOrNull(7),
            ReaderEpoch = rows.NumberOrNull(8) ?? 0,
            ReaderEpochBefore = rows.NumberOrNull(8) ?? 0,
            ReaderAgent = rows.NumberOrNull(9),
            ReadThrough = rows.Number(10),
            Unread = new MailCounts((int)rows.Number(11), (int)rows.Number(12), (int)rows.Number(13)),
        };
        _entries.Add(number, entry);
        return entry;
    }

    /// <summary>A thread for the caller to change.</summary>
    public ThreadEntry Changing(long number)
    {
        var entry = Entry(number);
        if (!entry.Head.IsChanged)
        {
            entry.Head.IsChanged = true;
            _changed.Add(entry);
        }

        return entry;
    }

    /// <summary>Writes the threads that changed.</summary>
    public void Save()
    {
        foreach (var entry in _changed)
        {
            var (head, unread) = (entry.Head, entry.Unread);
            _save.Bind(head.Number).Bind(head.LastSequence).Bind(head.Acknowledged).Bind(head.Unacknowledged.Customs).Bind(head.Unacknowledged.Terminals)
                .Bind(head.Unacknowledged.Messages).Bind(head.Entries).Bind(head.Unacknowledged.Waking > 0).Bind(entry.Reader)
                .Bind(entry.Reader is null ? null : entry.ReaderEpoch).Bind(entry.ReaderAgent).Bind(entry.ReadThrough)
                .Bind(unread.Customs).Bind(unread.Terminals).Bind(unread.Messages).Run();
            head.IsChanged = false;
            _saved.Add(entry);
        }

        _changed.Clear();
    }

    /// <summary>The transaction has landed.</summary>
    public void Landed(StoreMemory process)
    {
        foreach (var entry in _saved)
        {
            process.Readers.Note(entry.Head.Id, entry.Head.Number, process.Hosts.Has(entry.ReaderEpoch) ? entry.Reader : null);
            process.Unread.Note(entry.Head.Id, (entry.Reader is null ? entry.Head.Unacknowledged : entry.Unread).Customs);
        }

        _saved.Clear();
    }

    /// <summary>Lets go of what the transaction knew.</summary>
    public void Forget()
    {
        _entries.Clear();
        _changed.Clear();
        _saved.Clear();
    }

    private string IdOf(long number)
    {
        if (memory.IdOf(number) is { } known)
        {
            return known;
        }

        using var rows = _idOf.Bind(number).Rows();
        var id = rows.Next() ? rows.Text(0) : throw new InvalidOperationException($"No thread has the number {number}.");
        memory.Add(id, number);
        return id;
    }
}
