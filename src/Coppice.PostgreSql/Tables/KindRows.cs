using System.Globalization;

namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on kinds and their crashes. How much of a kind is ready and running is not kept, but read off its lanes. Names are remembered
/// only within the transaction: another host may forget a kind of which nothing is left, and one that comes back has another number.
/// </summary>
internal sealed class KindRows(WriterConnection connection, LaneRows lanes) : IKindRows
{
    internal const string FindSql = "SELECT n FROM {schema}.kinds WHERE {schema}.index_key(name) = {schema}.index_key($1)";

    private readonly string _allKinds = $"coppice kinds {connection.Schema}";
    private readonly Statement _find = connection.PrepareApart(FindSql);
    private readonly Statement _name = connection.PrepareApart("SELECT name FROM {schema}.kinds WHERE n = $1");
    private readonly Statement _add = connection.Prepare("INSERT INTO {schema}.kinds (name) VALUES ($1) ON CONFLICT DO NOTHING");
    private readonly Statement _hasReady = connection.Prepare(
        "SELECT owner_thread_id FROM {schema}.lanes WHERE kind = $1 AND ready > 0 AND owner_thread_id <> ALL ($2) LIMIT 1");

    private readonly Statement _running = connection.Prepare(
        "SELECT sum(running) FROM {schema}.lanes WHERE kind = $1 AND running > 0 AND owner_thread_id <> ALL ($2)");

    private readonly Statement _withReady = connection.Prepare(
        """
        SELECT name FROM {schema}.kinds k WHERE n = ANY ($1) OR EXISTS (
            SELECT 1 FROM {schema}.lanes l WHERE kind = k.n AND ready > 0 AND NOT EXISTS (
                SELECT 1 FROM unnest($2, $3) AS changed (kind, thread) WHERE changed.kind = l.kind AND changed.thread = l.owner_thread_id))
        """);

    private readonly Statement _addCrash = connection.Prepare("INSERT INTO {schema}.kind_crashes (kind, at_ms, epoch) VALUES ($1, $2, $3)");
    private readonly Statement _crash = connection.Prepare(
        "SELECT at_ms FROM {schema}.kind_crashes WHERE kind = $1 ORDER BY at_ms DESC LIMIT 1 OFFSET $2");

    // Two hosts may note crashes of a kind at the same time, and neither is to wait for what the other forgets.
    private readonly Statement _trimCrashes = connection.Prepare(
        """
        DELETE FROM {schema}.kind_crashes WHERE kind = $1 AND (at_ms, epoch) IN (
            SELECT at_ms, epoch FROM {schema}.kind_crashes WHERE kind = $1 AND (at_ms, epoch) <=
                (SELECT at_ms, epoch FROM {schema}.kind_crashes WHERE kind = $1 ORDER BY at_ms DESC, epoch DESC LIMIT 1 OFFSET $2)
            FOR UPDATE SKIP LOCKED)
        """);

    private readonly Statement _prune = connection.Prepare(
        """
        DELETE FROM {schema}.kinds k
        WHERE NOT EXISTS (SELECT 1 FROM {schema}.tasks WHERE kind = k.n) AND NOT EXISTS (SELECT 1 FROM {schema}.kind_crashes WHERE kind = k.n)
        """);

    private readonly Dictionary<string, long> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<long, string> _names = [];

    // A thread whose lane of a kind has something ready, as the table has it; none where there is no such lane but those in memory.
    private readonly Dictionary<long, long?> _ready = [];

    /// <summary>Keeps others from forgetting kinds while the transaction uses them, once it has its threads.</summary>
    public Question AskShare() => connection.Names.AskShare(_allKinds);

    /// <summary>Takes in a kind that was read.</summary>
    public void Know(long number, string name) => Remember(number, name);

    public long? Find(string name)
    {
        if (_numbers.TryGetValue(name, out var known))
        {
            return known;
        }

        if (_find.Bind(name).Scalar() is not { } number)
        {
            return null;
        }

        Remember(number, name);
        return number;
    }

    public string NameOf(long kind)
    {
        if (_names.TryGetValue(kind, out var known))
        {
            return known;
        }

        string name;
        using (var rows = _name.Bind(kind).Rows())
        {
            name = rows.Next() ? rows.Text(0) : throw new InvalidOperationException($"There is no kind {kind}.");
        }

        Remember(kind, name);
        return name;
    }

    /// <inheritdoc/>
    /// <remarks>What is remembered may be of before the lock, so a kind is looked for once more under it.</remarks>
    public long Ensure(string name)
    {
        if (!connection.Names.Has(_allKinds))
        {
            connection.Names.Share(_allKinds);
            Forget();
        }

        if (Find(name) is { } known)
        {
            return known;
        }

        _add.Bind(name).Run();
        return Find(name) ?? throw new InvalidOperationException($"The kind '{name}' is not there, although it was added.");
    }

    /// <summary>Keeps nothing: the lane says it.</summary>
    public void MadeReady(long kind)
    {
    }

    /// <summary>Keeps nothing: the lane says it.</summary>
    public void TakenOut(long kind)
    {
    }

    /// <summary>Keeps nothing: the lane says it.</summary>
    public void Began(long kind)
    {
    }

    /// <summary>Keeps nothing: the lane says it.</summary>
    public void Stopped(long kind)
    {
    }

    public bool HasReady(long kind)
    {
        if (lanes.HasReadyAtHand(kind))
        {
            return true;
        }

        if (!_ready.TryGetValue(kind, out var thread) || (thread is { } seen && lanes.AtHand(LanePlace.Of(kind, seen)) is { Ready: 0 }))
        {
            _ready[kind] = thread = _hasReady.Bind(kind).Bind(ChangedThreads(kind)).Scalar();
        }

        return thread is not null;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Claims with a limit of a kind exclude each other by its lock. What another transaction ends meanwhile only makes more room. One that claims without a
    /// limit takes no lock and is not counted before it lands: the limit of a kind has to be the same on all hosts.
    /// </remarks>
    public bool HasRoom(long kind, int maxRunning)
    {
        if (maxRunning == int.MaxValue)
        {
            return true;
        }

        if (!TryHold(kind))
        {
            connection.NoteSkipped();
            return false;
        }

        var running = _running.Bind(kind).Bind(ChangedThreads(kind)).Scalar() ?? 0;
        return running + ChangedOf(kind).Sum(static lane => (long)lane.Running) < maxRunning;
    }

    public IReadOnlyList<string> WithReady()
    {
        var changed = lanes.Changed;
        var names = new List<string>();
        using var rows = _withReady.Bind([.. changed.Where(static lane => lane.Ready > 0).Select(static lane => LanePlace.KindOf(lane.Number)).Distinct()])
            .Bind([.. changed.Select(static lane => LanePlace.KindOf(lane.Number))])
            .Bind([.. changed.Select(static lane => LanePlace.ThreadOf(lane.Number))]).Rows();
        while (rows.Next())
        {
            names.Add(rows.Text(0));
        }

        return names;
    }

    public void AddCrash(long kind, DateTimeOffset at, long epoch)
    {
        _addCrash.Bind(kind).Bind(at).Bind(epoch).Note();
        _trimCrashes.Bind(kind).Bind(IKindRows.MaxCrashes).Note();
    }

    public DateTimeOffset? CrashBefore(long kind, int count) =>
        _crash.Bind(kind).Bind(count - 1).Scalar() is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    /// <inheritdoc/>
    /// <remarks>
    /// Whoever is about to use a kind shares the lock of all kinds until its task is there to be seen. A transaction that has other such locks already does
    /// not wait for them, and leaves the kinds to the next time instead.
    /// </remarks>
    public void Prune()
    {
        if (!connection.Names.HasAny)
        {
            connection.Names.Wait(_allKinds);
        }
        else if (!connection.Names.Try(_allKinds))
        {
            return;
        }

        _prune.Run();
        Forget();
    }

    /// <summary>Lets go of what is in memory, because a transaction begins or the table has been set back.</summary>
    public void Forget()
    {
        _numbers.Clear();
        _names.Clear();
        _ready.Clear();
    }

    /// <summary>Keeps other claims of a kind that have a limit out. Only the first kind is waited for: two hosts may ask for two kinds in either order.</summary>
    private bool TryHold(long kind)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"coppice kind {connection.Schema} {kind}");
        if (connection.Names.HasOwn)
        {
            return connection.Names.Try(name);
        }

        connection.Names.Wait(name);
        return true;
    }

    private IEnumerable<LaneHead> ChangedOf(long kind) => lanes.Changed.Where(lane => LanePlace.KindOf(lane.Number) == kind);

    private long[] ChangedThreads(long kind) => [.. ChangedOf(kind).Select(static lane => LanePlace.ThreadOf(lane.Number))];

    private void Remember(long number, string name) => (_numbers[name], _names[number]) = (number, name);
}
