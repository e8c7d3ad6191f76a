namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on threads. A row is read under its lock and is then among the facts of the thread; what has become of it is written by
/// <see cref="Save"/>. Who has a mailbox open stands in the same row: <see cref="MailboxRows"/>.
/// </summary>
internal sealed class ThreadRows(WriterConnection connection, WriterConnection aside, ThreadMemory memory) : IThreadRows
{
    private const string Columns =
        """
        owner_thread_id, last_seq, acked, customs, terminals, messages, entries, wakes, reader, reader_epoch, reader_agent, read_through,
        unread_customs, unread_terminals, unread_messages, (SELECT id FROM {schema}.thread_ids i WHERE i.owner_thread_id = t.owner_thread_id), version
        """;

    internal const string FindSql = "SELECT owner_thread_id FROM {schema}.thread_ids WHERE {schema}.index_key(id) = {schema}.index_key($1)";

    internal const string FindAllSql =
        "SELECT t.id, t.owner_thread_id FROM unnest($1) AS a (id) JOIN {schema}.thread_ids t ON {schema}.index_key(t.id) = {schema}.index_key(a.id)";

    // A number is not used up for a thread that has one. What somebody else adds at the same time is in neither part of the answer.
    internal const string AddSql =
        $$"""
        WITH added AS (
                INSERT INTO {schema}.thread_ids (id)
                SELECT a.id FROM unnest($1) AS a (id)
                    WHERE NOT EXISTS (SELECT 1 FROM {schema}.thread_ids t WHERE {schema}.index_key(t.id) = {schema}.index_key(a.id))
                ON CONFLICT DO NOTHING RETURNING id, owner_thread_id),
            heads AS (INSERT INTO {schema}.threads (owner_thread_id) SELECT owner_thread_id FROM added)
        SELECT id, owner_thread_id FROM added UNION ALL {{FindAllSql}}
        """;

    private readonly Statement _find = connection.PrepareApart(FindSql);
    private readonly Statement _findAll = connection.PrepareApart(FindAllSql);
    private readonly Statement _add = aside.Prepare(AddSql);

    private readonly Statement _get = connection.Prepare($"SELECT {Columns} FROM {{schema}}.threads t WHERE owner_thread_id = $1");
    private readonly Statement _lock = connection.PrepareLock(Columns);
    private readonly Images<ThreadImage> _images = connection.Add(MakeImages(connection.InSchema("{schema}.threads")));
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

        EnsureAll([id]);
        return Find(id)!.Value;
    }

    /// <summary>Gives numbers to those of some threads that have none. They are remembered, as far as nobody else gives one at the same time.</summary>
    /// <remarks>Kept at once, whatever becomes of the transaction: two that need the same thread shall not wait for each other.</remarks>
    public void EnsureAll(IEnumerable<string> ids)
    {
        // In one order, so that two that add the same threads do not wait for each other.
        string[] unknown = [.. ids.Where(id => memory.NumberOf(id) is null).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0)
        {
            Remember(_add.Bind(unknown));
        }
    }

    /// <summary>Looks for the numbers of threads, and remembers them.</summary>
    public void FindAll(IEnumerable<string> ids)
    {
        string[] unknown = [.. ids.Where(id => memory.NumberOf(id) is null)];
        if (unknown.Length > 0)
        {
            Remember(_findAll.Bind(unknown));
        }
    }

    /// <summary>The number of a thread, if it is at hand.</summary>
    public long? AtHand(string id) => memory.NumberOf(id);

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
        if (connection.Hold(number).Entry is { } known)
        {
            return known;
        }

        using var rows = _get.Bind(number).Rows();
        return rows.Next() ? Read(rows) : throw new InvalidOperationException($"No thread has the number {number}.");
    }

    /// <summary>Locks threads, while the transaction has no lock yet, and reads them.</summary>
    public Question AskLocked(long[] numbers) => _lock.Bind(numbers).Ask(rows =>
    {
        while (rows.Next())
        {
            connection.NoteLocked(rows.Number(0), rows.Number(16));
            Read(rows);
        }
    });

    /// <summary>A thread for the caller to change.</summary>
    public ThreadEntry Changing(long number)
    {
        var entry = Entry(number);
        connection.Change(number);
        if (!entry.Head.IsChanged)
        {
            entry.Head.IsChanged = true;
            _changed.Add(entry);
        }

        return entry;
    }

    /// <summary>Notes the threads that changed. To be called before the transaction commits, and before it makes a mark.</summary>
    public void Save()
    {
        foreach (var entry in _changed)
        {
            var (head, unread) = (entry.Head, entry.Unread);
            _images.Update(head.Number, new ThreadImage(
                head.Number, head.LastSequence, head.Acknowledged, head.Unacknowledged, head.Entries, entry.Reader,
                entry.Reader is null ? null : entry.ReaderEpoch, entry.ReaderAgent, entry.ReadThrough, unread, connection.Facts.Of(head.Number).NextVersion));
            connection.NoteWritten(head.Number);
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
            entry.ReaderEpochBefore = entry.ReaderEpoch;
        }

        _saved.Clear();
    }

    /// <summary>Lets go of what the transaction knew.</summary>
    public void Forget()
    {
        _changed.Clear();
        _saved.Clear();
    }

    private static Images<ThreadImage> MakeImages(string table)
    {
        Column<ThreadImage>[] values =
        [
            Number("last_seq", static row => row.LastSequence),
            Number("acked", static row => row.Acknowledged),
            Number("customs", static row => row.Unacknowledged.Customs),
            Number("terminals", static row => row.Unacknowledged.Terminals),
            Number("messages", static row => row.Unacknowledged.Messages),
            Number("entries", static row => row.Entries),
            new FlagColumn<ThreadImage>("wakes", static row => row.Unacknowledged.Waking > 0),
            new GuidColumn<ThreadImage>("reader", static row => row.Reader),
            Number("reader_epoch", static row => row.ReaderEpoch),
            Number("reader_agent", static row => row.ReaderAgent),
            Number("read_through", static row => row.ReadThrough),
            Number("unread_customs", static row => row.Unread.Customs),
            Number("unread_terminals", static row => row.Unread.Terminals),
            Number("unread_messages", static row => row.Unread.Messages),
            Number("version", static row => row.Version),
        ];
        return new(
            insert: null, RowWriter<ThreadImage>.Updates(table, [Number("owner_thread_id", static row => row.Thread)], values), delete: null,
            static (_, now) => now);

        static NumberColumn<ThreadImage> Number(string name, Func<ThreadImage, long?> value) => new(name, value);
    }

    private void Remember(Statement found)
    {
        using var rows = found.Rows();
        while (rows.Next())
        {
            memory.Add(rows.Text(0), rows.Number(1));
        }
    }

    private ThreadEntry Read(RowScope rows)
    {
        var (number, id) = (rows.Number(0), rows.Text(15));
        var entry = new ThreadEntry(new ThreadHead(number, id)
        {
            LastSequence = rows.Number(1),
            Acknowledged = rows.Number(2),
            Unacknowledged = new MailCounts((int)rows.Number(3), (int)rows.Number(4), (int)rows.Number(5)),
            Entries = (int)rows.Number(6),
            IsStoredAsWaking = rows.Flag(7),
        })
        {
            Reader = rows.GuidOrNull(8),
            ReaderEpoch = rows.NumberOrNull(9) ?? 0,
            ReaderEpochBefore = rows.NumberOrNull(9) ?? 0,
            ReaderAgent = rows.NumberOrNull(10),
            ReadThrough = rows.Number(11),
            Unread = new MailCounts((int)rows.Number(12), (int)rows.Number(13), (int)rows.Number(14)),
        };
        memory.Add(id, number);
        connection.Facts.Of(number).Entry = entry;
        return entry;
    }

    private readonly record struct ThreadImage(
        long Thread, long LastSequence, long Acknowledged, MailCounts Unacknowledged, int Entries, Guid? Reader, long? ReaderEpoch, long? ReaderAgent,
        long ReadThrough, MailCounts Unread, long Version);
}
