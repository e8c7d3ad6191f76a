namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on branches. Every live task has a row here, put in with the task, whether it hangs on anything or not; a task that has
/// ended has one while something live hangs on it. What was read or is not there is in memory until the transaction ends, under its thread's lock.
/// </summary>
internal sealed class BranchRows : IBranchRows
{
    private static readonly Column<BranchImage>[] Key =
        [new NumberColumn<BranchImage>("owner_thread_id", static row => row.Owner), new NumberColumn<BranchImage>("n", static row => row.Number)];

    private static readonly Column<BranchImage>[] Changing =
        [new NumberColumn<BranchImage>("host_epoch", static row => row.Host), new FlagColumn<BranchImage>("ended", static row => row.HasEnded)];

    private static readonly Column<BranchImage>[] Lasting =
    [
        new NumberColumn<BranchImage>("parent", static row => row.Parent),
        new NumberColumn<BranchImage>("parent_owner", static row => row.ParentOwner),
        new NumberColumn<BranchImage>("agent_thread", static row => row.AgentThread),
        new NumberColumn<BranchImage>("kind", static row => row.Kind),
        new TextColumn<BranchImage>("name", static row => row.Name),
        new TextColumn<BranchImage>("run_id", static row => row.RunId),
    ];

    private readonly WriterConnection _connection;
    private readonly TaskOwners _owners;
    private readonly Images<BranchImage> _images;
    private readonly Statement _find;
    private readonly Statement _task;
    private readonly Statement _hasChild;
    private readonly Statement _children;
    private readonly Statement _endedOf;
    private readonly Statement _roots;
    private readonly Statement _liveName;
    private readonly Statement _waitingAgent;
    private readonly Dictionary<long, BranchRow?> _rows = [];
    private readonly Dictionary<long, bool> _parents = [];
    private readonly Dictionary<(long Owner, string Name), bool> _names = [];
    private readonly Dictionary<long, long?> _waiting = [];

    public BranchRows(WriterConnection connection, TaskOwners owners)
    {
        (_connection, _owners) = (connection, owners);
        var table = connection.InSchema("{schema}.branches");
        _images = connection.Add(new Images<BranchImage>(
            RowWriter<BranchImage>.Inserts(table, [.. Key, .. Changing, .. Lasting]),
            RowWriter<BranchImage>.Updates(table, Key, Changing),
            RowWriter<BranchImage>.Deletes(table, Key),
            static (before, now) => before with { Host = now.Host, HasEnded = now.HasEnded }));
        _find = connection.Prepare("SELECT parent, ended, name, run_id FROM {schema}.branches WHERE owner_thread_id = $1 AND n = $2");
        _task = connection.Prepare("SELECT parent, state >= 3, name, run_id FROM {schema}.tasks WHERE owner_thread_id = $1 AND n = $2");
        _hasChild = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE parent = $1 LIMIT 1");
        _children = connection.Prepare("SELECT n FROM {schema}.branches WHERE parent = $1");
        _endedOf = connection.Prepare("SELECT n FROM {schema}.branches WHERE owner_thread_id = $1 AND ended");
        _roots = connection.Prepare("SELECT n FROM {schema}.branches WHERE run_id = $1");
        _liveName = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE owner_thread_id = $1 AND name = $2 AND NOT ended");
        _waitingAgent = connection.Prepare(
            "SELECT min(n) FROM {schema}.branches WHERE agent_thread = $1 AND kind IS NOT NULL AND host_epoch IS NULL AND NOT ended");
    }

    public bool HasEveryLiveTask => true;

    /// <summary>Lets go of what the transaction knew.</summary>
    public void Forget()
    {
        _rows.Clear();
        _parents.Clear();
        _names.Clear();
        _waiting.Clear();
    }

    /// <summary>Takes in a task on a branch that the transaction has locked.</summary>
    public void Know(in BranchRow row) => _rows.TryAdd(row.Number, row);

    /// <summary>Takes in whether something hangs on a task that the transaction has locked.</summary>
    public void KnowChild(long number, bool hasChild) => _parents.TryAdd(number, hasChild);

    /// <summary>Takes in whether a live task of a thread, which the transaction has locked, has a name.</summary>
    public void KnowName(long owner, string name, bool isTaken) => _names.TryAdd((owner, name), isTaken);

    /// <summary>Takes in which agent will read the mail of a thread.</summary>
    public void KnowWaiting(long agentThread, long? agent) => _waiting.TryAdd(agentThread, agent);

    public bool HasLiveName(long owner, string name)
    {
        if (!_names.TryGetValue((owner, name), out var isTaken))
        {
            _connection.Lock(owner);
            _names[(owner, name)] = isTaken = _liveName.Bind(owner).Bind(name).Scalar() is not null;
        }

        return isTaken;
    }

    public long? FindWaitingAgent(long agentThread)
    {
        if (!_waiting.TryGetValue(agentThread, out var agent))
        {
            _waiting[agentThread] = agent = _waitingAgent.Bind(agentThread).Scalar();
        }

        return agent;
    }

    /// <summary>Adds a new task, which is live.</summary>
    public void AddLive(BranchImage image)
    {
        Insert(image);
        if (image.Name is not null)
        {
            _names[(image.Owner, image.Name)] = true;
        }

        ForgetWaiting(image.AgentThread);
    }

    /// <summary>A live task is another host's from here on, or nobody's.</summary>
    public void SetHost(in TaskHead task, long? host)
    {
        _images.Update(task.Number, new BranchImage(task.Owner, task.Number) { Host = host });
        ForgetWaiting(task.AgentThread);
    }

    /// <summary>The agent that will read the mail of a thread may be another one, or none.</summary>
    public void ForgetWaiting(long? agentThread)
    {
        if (agentThread is { } thread)
        {
            _waiting.Remove(thread);
        }
    }

    public BranchRow? Find(long number)
    {
        if (!_rows.TryGetValue(number, out var row))
        {
            _rows[number] = row = Read(_find, number);
        }

        return row;
    }

    public BranchRow? OfTask(long number) => Read(_task, number);

    public void Add(in BranchRow row)
    {
        _connection.Lock(row.Owner);
        if (Find(row.Number) is null)
        {
            Insert(new BranchImage(row.Owner, row.Number)
            {
                Parent = row.Parent,
                ParentOwner = row.Parent is { } parent ? _owners.Of(parent) : null,
                HasEnded = row.HasEnded,
                Name = row.Name,
                RunId = row.Parent is null ? row.RunId : null,
            });
        }
    }

    public void SetEnded(long number)
    {
        if (Find(number) is { } row)
        {
            FreeName(row);
            _images.Update(number, new BranchImage(row.Owner, number) { HasEnded = true });
            _rows[number] = row with { HasEnded = true };
        }
    }

    public void Remove(long number)
    {
        if (Find(number) is { } row)
        {
            FreeName(row);
            _images.Delete(number, new BranchImage(row.Owner, number));
            _rows[number] = null;
            if (row.Parent is { } parent && _parents.GetValueOrDefault(parent))
            {
                _parents.Remove(parent);
            }
        }
    }

    public bool HasChild(long number)
    {
        if (!_parents.TryGetValue(number, out var hasChild))
        {
            _parents[number] = hasChild = _hasChild.Bind(number).Scalar() is not null;
        }

        return hasChild;
    }

    public void AddChildren(long number, ICollection<long> numbers)
    {
        if (!_parents.TryGetValue(number, out var hasChild) || hasChild)
        {
            Collect(_children.Bind(number), numbers);
        }
    }

    public void AddEndedOf(long owner, ICollection<long> numbers)
    {
        _connection.Lock(owner);
        Collect(_endedOf.Bind(owner), numbers);
    }

    public void AddRootsOf(string runId, ICollection<long> numbers) => Collect(_roots.Bind(runId), numbers);

    private static void Collect(Statement statement, ICollection<long> numbers)
    {
        foreach (var number in statement.Numbers())
        {
            numbers.Add(number);
        }
    }

    private void Insert(BranchImage image)
    {
        _images.Insert(image.Number, image);
        _rows[image.Number] = new BranchRow(image.Number, image.Parent, image.Owner, image.HasEnded, image.Name, image.RunId);
        if (image.Parent is { } parent)
        {
            _parents[parent] = true;
        }
    }

    private void FreeName(in BranchRow row)
    {
        if (row is { HasEnded: false, Name: { } name })
        {
            _names[(row.Owner, name)] = false;
        }
    }

    private BranchRow? Read(Statement statement, long number)
    {
        if (_owners.Of(number) is not { } owner)
        {
            return null;
        }

        _connection.Lock(owner);
        using var rows = statement.Bind(owner).Bind(number).Rows();
        return rows.Next() ? new BranchRow(number, rows.NumberOrNull(0), owner, rows.Flag(1), rows.TextOrNull(2), rows.TextOrNull(3)) : null;
    }
}
