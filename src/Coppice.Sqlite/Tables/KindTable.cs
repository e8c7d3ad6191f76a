namespace Coppice.Sqlite;

/// <summary>The writer's statements on kinds and their crashes.</summary>
internal sealed class KindTable(Connection connection) : HeadTable<KindHead>(MaxHeads), IKindRows
{
    internal const string WithReadySql = "SELECT name FROM kinds INDEXED BY kinds_with_ready WHERE ready > 0";

    // Kinds are few, but what has names from outside by the thousand shall not stay.
    private const int MaxHeads = 1024;
    private const string Columns = "n, name, running, ready";

    private readonly Statement _byName = connection.Prepare($"SELECT {Columns} FROM kinds WHERE name = ?");
    private readonly Statement _byNumber = connection.Prepare($"SELECT {Columns} FROM kinds WHERE n = ?");
    private readonly Statement _withReady = connection.Prepare(WithReadySql);
    private readonly Statement _add = connection.Prepare("INSERT INTO kinds (name) VALUES (?)");
    private readonly Statement _save = connection.Prepare("UPDATE kinds SET running = ?, ready = ? WHERE n = ?");
    private readonly Statement _prune = connection.Prepare(
        "DELETE FROM kinds WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE kind = kinds.n) AND NOT EXISTS (SELECT 1 FROM kind_crashes WHERE kind = kinds.n)");

    private readonly Statement _addCrash = connection.Prepare("INSERT INTO kind_crashes (kind, at_ms, epoch) VALUES (?, ?, ?)");
    private readonly Statement _crash = connection.Prepare("SELECT at_ms FROM kind_crashes WHERE kind = ? ORDER BY at_ms DESC LIMIT 1 OFFSET ?");
    private readonly Statement _trimCrashes = connection.Prepare(
        """
        DELETE FROM kind_crashes WHERE kind = ?1
            AND (at_ms, epoch) <= (SELECT at_ms, epoch FROM kind_crashes WHERE kind = ?1 ORDER BY at_ms DESC, epoch DESC LIMIT 1 OFFSET ?2)
        """);

    private readonly Dictionary<string, KindHead> _headsByName = new(StringComparer.Ordinal);

    public KindHead? Find(string name) => _headsByName.TryGetValue(name, out var known) ? known : Keep(_byName.Bind(name));

    public long Ensure(string name)
    {
        if (Find(name) is { } known)
        {
            return known.Number;
        }

        _add.Bind(name).Run();
        return Keep(new KindHead(connection.LastInsertKey, name)).Number;
    }

    long? IKindRows.Find(string name) => Find(name)?.Number;

    public string NameOf(long kind) => Head(kind).Name;

    public void MadeReady(long kind) => Changing(kind).Ready++;

    public void TakenOut(long kind) => Changing(kind).Ready--;

    public void Began(long kind) => Changing(kind).Running++;

    public void Stopped(long kind) => Changing(kind).Running--;

    public bool HasReady(long kind) => Head(kind).Ready > 0;

    public bool HasRoom(long kind, int maxRunning) => Head(kind).Running < maxRunning;

    /// <summary>The names of the kinds that have a ready task.</summary>
    public IReadOnlyList<string> WithReady()
    {
        Save();
        var names = new List<string>();
        using var rows = _withReady.Rows();
        while (rows.Next())
        {
            names.Add(rows.Text(0));
        }

        return names;
    }

    /// <summary>Notes that a host was given up under attempts of a kind.</summary>
    public void AddCrash(long kind, DateTimeOffset at, long epoch)
    {
        _addCrash.Bind(kind).Bind(at).Bind(epoch).Run();
        _trimCrashes.Bind(kind).Bind(IKindRows.MaxCrashes).Run();
    }

    /// <summary>When the crash was that so many of a kind have followed, counting itself; <see langword="null"/> if there were not so many.</summary>
    public DateTimeOffset? CrashBefore(long kind, int count) =>
        _crash.Bind(kind).Bind(count - 1).Scalar() is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    /// <summary>Forgets the kinds of which nothing is stored any more.</summary>
    public void Prune()
    {
        Save();
        Forget();
        _prune.Run();
    }

    public override void Forget()
    {
        base.Forget();
        _headsByName.Clear();
    }

    protected override KindHead Read(long number) => Keep(_byNumber.Bind(number))!;

    protected override void Save(KindHead head) => _save.Bind(head.Running).Bind(head.Ready).Bind(head.Number).Run();

    protected override KindHead Keep(KindHead head)
    {
        _headsByName.Add(head.Name, head);
        return base.Keep(head);
    }

    private KindHead? Keep(Statement query)
    {
        using var rows = query.Rows();
        return rows.Next()
            ? Keep(new KindHead(rows.Number(0), rows.Text(1)) { Running = (int)rows.Number(2), Ready = (int)rows.Number(3) })
            : null;
    }
}
