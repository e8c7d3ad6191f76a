namespace Coppice.PostgreSql;

/// <summary>
/// The writer's statements on branches. Every live task has a row here, put in with the task, whether it hangs on anything or not; a task that has
/// ended has one while something live hangs on it. What was read, or is not there, is among the facts of its thread.
/// </summary>
internal sealed class BranchRows : IBranchRows
{
    internal const string RootsSql = "SELECT n FROM {schema}.branches WHERE hashtextextended(run_id, 0) = hashtextextended($1, 0) AND run_id = $1";

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
        _roots = connection.Prepare(RootsSql);
        _liveName = connection.Prepare("SELECT 1 FROM {schema}.branches WHERE owner_thread_id = $1 AND name = $2 AND NOT ended");
        _waitingAgent = connection.Prepare(
            "SELECT min(n) FROM {schema}.branches WHERE agent_thread = $1 AND kind IS NOT NULL AND host_epoch IS NULL AND NOT ended");
    }

    public bool HasEveryLiveTask => true;

    /// <summary>Takes in a task on a branch of a thread that the transaction has locked.</summary>
    public void Know(in BranchRow row) => _connection.Facts.Of(row.Owner).Branches.TryAdd(row.Number, row);

    /// <summary>Takes in how much hangs on a task of a thread that the transaction has locked.</summary>
    public void KnowChildren(long owner, long number, int count) => _connection.Facts.Of(owner).Children.TryAdd(number, count);

    /// <summary>Takes in whether a live task of a thread, which the transaction has locked, has a name.</summary>
    public void KnowName(long owner, string name, bool isTaken) => _connection.Facts.Of(owner).Names.TryAdd(name, isTaken);

    /// <summary>Takes in which agent will read the mail of a thread, which the transaction has locked.</summary>
    public void KnowWaiting(long agentThread, long? agent) => _connection.Facts.Of(agentThread).Waiting = (true, agent);

    /// <inheritdoc/>
    /// <remarks>Ahead, a name that is not known counts as free: the index by names has the last word.</remarks>
    public bool HasLiveName(long owner, string name)
    {
        var names = _connection.Hold(owner).Names;
        if (!names.TryGetValue(name, out var isTaken) && !_connection.IsAhead)
        {
            names[name] = isTaken = _liveName.Bind(owner).Bind(name).Scalar() is not null;
        }

        return isTaken;
    }

    public long? FindWaitingAgent(long agentThread)
    {
        var facts = _connection.Hold(agentThread);
        if (!facts.Waiting.IsKnown)
        {
            facts.Waiting = (true, _waitingAgent.Bind(agentThread).Scalar());
        }

        return facts.Waiting.Agent;
    }

    /// <summary>Adds a new task, which is live.</summary>
    /// <param name="image">Its row.</param>
    /// <param name="isAwaited">Whether something may hang on it already.</param>
    public void AddLive(BranchImage image, bool isAwaited)
    {
        Insert(image);
        var facts = _connection.Change(image.Owner);
        if (image.Name is not null)
        {
            facts.Names[image.Name] = true;
        }

        if (!isAwaited)
        {
            facts.Children[image.Number] = 0;
        }

        ForgetWaiting(image.AgentThread);
    }

    /// <summary>A live task is another host's from here on, or nobody's.</summary>
    public void SetHost(in TaskHead task, long? host)
    {
        _images.Update(task.Number, new BranchImage(task.Owner, task.Number) { Host = host });
        _connection.Change(task.Owner);
        ForgetWaiting(task.AgentThread);
    }

    /// <summary>The agent that will read the mail of a thread may be another one, or none.</summary>
    public void ForgetWaiting(long? agentThread)
    {
        if (agentThread is { } thread)
        {
            _connection.Change(thread).Waiting = default;
        }
    }

    public BranchRow? Find(long number)
    {
        if (_owners.Of(number) is not { } owner)
        {
            return null;
        }

        var branches = _connection.Hold(owner).Branches;
        if (!branches.TryGetValue(number, out var row))
        {
            branches[number] = row = Read(_find, owner, number);
        }

        return row;
    }

    public BranchRow? OfTask(long number) => _owners.Of(number) is { } owner ? Read(_task, owner, number) : null;

    public void Add(in BranchRow row)
    {
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
            _connection.Change(row.Owner).Branches[number] = row with { HasEnded = true };
        }
    }

    public void Remove(long number)
    {
        if (Find(number) is { } row)
        {
            FreeName(row);
            _images.Delete(number, new BranchImage(row.Owner, number));
            _connection.Change(row.Owner).Branches[number] = null;
            ChangeChildren(row.Parent, -1);
        }
    }

    public bool HasChild(long number)
    {
        if (_owners.Of(number) is not { } owner)
        {
            return _hasChild.Bind(number).Scalar() is not null;
        }

        var children = _connection.Hold(owner).Children;
        if (!children.TryGetValue(number, out var count))
        {
            children[number] = count = _hasChild.Bind(number).Scalar() is not null ? ThreadFacts.Some : 0;
        }

        return count != 0;
    }

    public void AddChildren(long number, ICollection<long> numbers)
    {
        if (_owners.Of(number) is not { } owner || !_connection.Hold(owner).Children.TryGetValue(number, out var count) || count != 0)
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
        _connection.Change(image.Owner).Branches[image.Number] =
            new BranchRow(image.Number, image.Parent, image.Owner, image.HasEnded, image.Name, image.RunId);
        ChangeChildren(image.Parent, 1);
    }

    /// <summary>Something more or less hangs on a task.</summary>
    private void ChangeChildren(long? parent, int change)
    {
        if (parent is not { } number)
        {
            return;
        }

        if (_owners.Of(number) is not { } owner)
        {
            if (change > 0)
            {
                // Whoever adds that task later holds no lock that this transaction has.
                _connection.NoteFactsChanged();
            }

            return;
        }

        var children = _connection.Change(owner).Children;
        if (!children.TryGetValue(number, out var count))
        {
            return;
        }

        if (count != ThreadFacts.Some)
        {
            children[number] = count + change;
        }
        else if (change < 0)
        {
            children.Remove(number);
        }
    }

    private void FreeName(in BranchRow row)
    {
        if (row is { HasEnded: false, Name: { } name })
        {
            _connection.Change(row.Owner).FreeName(name);
        }
    }

    private BranchRow? Read(Statement statement, long owner, long number)
    {
        _connection.Lock(owner);
        using var rows = statement.Bind(owner).Bind(number).Rows();
        return rows.Next() ? new BranchRow(number, rows.NumberOrNull(0), owner, rows.Flag(1), rows.TextOrNull(2), rows.TextOrNull(3)) : null;
    }
}
