namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on hosts. A transaction holds a lock on the fence of each host whose batches it writes, which others may hold too; who closes a
/// host holds it alone. And whoever joins holds a lock of the schema alone that every other transaction shares: what commits after the join knows of the host,
/// and what did not know of it has committed before, where the host can read it.
/// </summary>
internal sealed class HostRows(WriterConnection connection, StoreMemory memory, Listeners listeners) : IHosts
{
    private static readonly string FenceKey = SessionLocks.KeySql("fence", "$1::bigint");
    private static readonly string ProcessKey = SessionLocks.KeySql("host", "$1::bigint");

    private static readonly string HostsKey = SessionLocks.KeySql("hosts", "''");
    private static readonly string FenceKeyOfRow = SessionLocks.KeySql("fence", "epoch");
    private static readonly string Fences =
        $"(SELECT max(pg_advisory_xact_lock_shared({SessionLocks.KeySql("fence", "epoch")})::text) FROM unnest($1) AS epoch)";

    private readonly Statement _enter = connection.PrepareApart($"SELECT pg_advisory_xact_lock_shared({HostsKey}), {Fences}");
    private readonly Statement _enterToJoin = connection.PrepareApart($"SELECT pg_advisory_xact_lock({HostsKey}), {Fences}");
    private readonly Statement _getAll = connection.PrepareApart(
        $"SELECT epoch, host_id, is_open, process, handles_unread, {FenceKeyOfRow}, {HostsKey} FROM {{schema}}.hosts WHERE is_open OR epoch = ANY ($1) ORDER BY epoch");

    private readonly Statement _close = connection.PrepareApart($"SELECT pg_advisory_xact_lock({FenceKey})");
    private readonly Statement _isGone = connection.PrepareApart($"SELECT 1 WHERE pg_try_advisory_xact_lock({ProcessKey})");
    private readonly Statement _get = connection.Prepare("SELECT host_id, is_open FROM {schema}.hosts WHERE epoch = $1");
    private readonly Statement _openHere = connection.Prepare(
        $"SELECT epoch, host_id FROM {{schema}}.hosts WHERE is_open AND server = {SessionLocks.ServerSql} ORDER BY epoch");
    private readonly Statement _left = connection.Prepare("SELECT epoch FROM {schema}.hosts WHERE NOT is_open ORDER BY epoch");
    private readonly Statement _add = connection.Prepare(
        "INSERT INTO {schema}.hosts (epoch, host_id, process, handles_unread, joined_ms, server) "
        + $"VALUES ($1, $2, $3, $4, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, {SessionLocks.ServerSql})");

    private readonly Statement _leave = connection.Prepare("UPDATE {schema}.hosts SET is_open = false WHERE epoch = $1");
    private readonly Statement _forget = connection.Prepare("DELETE FROM {schema}.hosts WHERE epoch = $1");
    private readonly Statement _handle = connection.Prepare(
        "UPDATE {schema}.hosts SET handles_unread = $2 WHERE process = $1 AND handles_unread <> $2");

    private readonly Dictionary<long, (string HostId, bool IsOpen)?> _known = [];
    private readonly List<OpenHost> _others = [];
    private readonly List<long> _open = [];
    private readonly Dictionary<long, long> _fenceKeys = [];
    private long _hostsKey;
    private bool _isAtHand;
    private readonly List<HostFence> _joined = [];
    private readonly List<long> _closed = [];

    /// <summary>Gets the hosts that have joined in the transaction.</summary>
    public IReadOnlyList<HostFence> Joined => _joined;

    /// <summary>Gets the open hosts of other processes, by their epochs.</summary>
    public IReadOnlyList<OpenHost> Others => _others;

    /// <summary>Takes the locks of hosts whose batches are about to be written. The transaction holds no other yet.</summary>
    /// <param name="epochs">The hosts, in the order of their epochs.</param>
    /// <param name="joins">Whether another host joins in the transaction.</param>
    public Question AskLocks(long[] epochs, bool joins) => (joins ? _enterToJoin : _enter).Bind(epochs).Ask(static _ => { });

    /// <summary>Reads those hosts and the open ones, once the locks are held: a statement after theirs, so that it sees what the last holder has left.</summary>
    public Question AskAll(long[] epochs) => _getAll.Bind(epochs).Ask(rows =>
    {
        foreach (var epoch in epochs)
        {
            _known[epoch] = null;
        }

        _open.Clear();
        _fenceKeys.Clear();
        while (rows.Next())
        {
            var (epoch, isOpen) = (rows.Number(0), rows.Flag(2));
            _known[epoch] = (rows.Text(1), isOpen);
            if (isOpen)
            {
                Open(rows, epoch);
            }
        }

        _isAtHand = true;
    });

    /// <summary>Whether it is known that some hosts are open, so that a transaction can rely on it.</summary>
    public bool HasAtHand(IEnumerable<long> epochs) => _isAtHand && epochs.All(_fenceKeys.ContainsKey);

    /// <summary>The open hosts as <c>hold</c> takes them.</summary>
    public long[] OpenHosts() => [.. _open];

    /// <summary>The keys of the locks that <see cref="AskLocks"/> takes.</summary>
    public long[] SharedLocks(IEnumerable<long> epochs) => [_hostsKey, .. epochs.Select(epoch => _fenceKeys[epoch])];

    /// <summary>The transaction has landed: the hosts that it closed need show no more that their process lives.</summary>
    public void Landed()
    {
        foreach (var epoch in _closed)
        {
            memory.Session.Release(epoch);
        }

        _closed.Clear();
    }

    /// <summary>A transaction begins that reads what it has to know.</summary>
    public void Begin()
    {
        Forget();
        _others.Clear();
        BeginAhead();
    }

    /// <summary>A transaction begins that relies on what is known.</summary>
    public void BeginAhead()
    {
        _joined.Clear();
        _closed.Clear();
    }

    /// <summary>Lets go of what the transaction knew.</summary>
    public void Forget()
    {
        _known.Clear();
        _isAtHand = false;
    }

    public bool IsOpen(HostFence fence) => Get(fence.Epoch) is (var hostId, true) && hostId == fence.HostId;

    public bool IsOpen(long epoch) => Get(epoch) is (_, true);

    public bool IsKnown(HostFence fence)
    {
        Close(fence.Epoch);
        return Get(fence.Epoch) is var (hostId, _) && hostId == fence.HostId;
    }

    public IReadOnlyList<HostFence> Gone()
    {
        var open = new List<HostFence>();
        using (var rows = _openHere.Rows())
        {
            while (rows.Next())
            {
                open.Add(new HostFence(rows.Text(1), rows.Number(0)));
            }
        }

        return open.FindAll(fence => _isGone.Bind(fence.Epoch).Scalar() is not null && IsKnown(fence));
    }

    public IReadOnlyList<long> Left() => _left.Numbers();

    public void Join(HostFence fence)
    {
        // Before anybody can see the host, who would find that its process has ended.
        memory.Session.Hold(fence.Epoch);
        _add.Bind(fence.Epoch).Bind(fence.HostId).Bind(memory.Channel.Process).Bind(listeners.HandleUnreadMail).Note();
        _joined.Add(fence);
        _isAtHand = false;
        _known[fence.Epoch] = (fence.HostId, true);
    }

    public void Leave(HostFence fence)
    {
        Close(fence.Epoch);
        _leave.Bind(fence.Epoch).Note();
        Handle(fence.Epoch);
        _known[fence.Epoch] = (fence.HostId, false);
        _closed.Add(fence.Epoch);
    }

    void IHosts.Forget(long epoch)
    {
        Close(epoch);
        _forget.Bind(epoch).Note();
        Handle(epoch);
        _known[epoch] = null;
        _closed.Add(epoch);
    }

    private void Open(RowScope rows, long epoch)
    {
        var handlesUnread = rows.Flag(4);
        _open.Add(handlesUnread ? -epoch : epoch);
        _fenceKeys[epoch] = rows.Number(5);
        _hostsKey = rows.Number(6);
        if (rows.Number(3) != memory.Channel.Process)
        {
            _others.Add(new OpenHost(epoch, handlesUnread));
        }
    }

    private void Close(long epoch)
    {
        _close.Bind(epoch).Run();
        _isAtHand = false;
        _known.Remove(epoch);
    }

    /// <summary>With a host of this process it may be that nobody in it is left who handles mail that nobody reads.</summary>
    private void Handle(long epoch)
    {
        if (memory.Hosts.Has(epoch))
        {
            _handle.Bind(memory.Channel.Process).Bind(listeners.HandleUnreadMail).Run();
        }
    }

    private (string HostId, bool IsOpen)? Get(long epoch)
    {
        if (!_known.TryGetValue(epoch, out var known))
        {
            using var rows = _get.Bind(epoch).Rows();
            _known[epoch] = known = rows.Next() ? (rows.Text(0), rows.Flag(1)) : null;
        }

        return known;
    }
}
