namespace Coppice.PostgreSql;

/// <summary>
/// Begins a transaction: takes the locks, and reads under them what the rules will ask for. The rows then know it, what is not there
/// included.
/// </summary>
internal sealed class Opening(
    WriterConnection connection, OwnerMemory memory, TaskOwners owners, NumberRows numbers, HostRows hosts, ThreadRows threads, TaskQuestions tasks,
    BranchRows branches, WorkRows work)
{
    // A chain of parents that is longer is climbed by the rules themselves.
    private const int LongestClimb = 16;

    private readonly Asked _asked = new();
    private readonly Statement _names = connection.PrepareApart(
        """
        SELECT a.o, a.name FROM unnest($1, $2) AS a (o, name)
        WHERE EXISTS (SELECT 1 FROM {schema}.branches b WHERE b.owner_thread_id = a.o AND b.name = a.name AND NOT b.ended)
        """);

    private readonly Statement _keys = connection.PrepareApart(
        """
        SELECT a.o, a.key, w.n FROM unnest($1, $2) AS a (o, key) JOIN {schema}.work w
            ON w.owner_thread_id = a.o AND hashtextextended(w.key, 0) = hashtextextended(a.key, 0) AND w.key = a.key AND NOT w.restored
        """);

    private readonly Statement _waiting = connection.PrepareApart(
        """
        SELECT a, (SELECT min(n) FROM {schema}.branches WHERE agent_thread = a AND kind IS NOT NULL AND host_epoch IS NULL AND NOT ended) FROM unnest($1) AS a
        """);

    /// <summary>Whether all that a batch needs is likely to be known, so that it can be written ahead.</summary>
    public bool IsAtHand(MutationBatch batch)
    {
        _asked.Set(batch);
        return _asked is { IsOrdinary: true, Epochs.Count: > 0 } && hosts.HasAtHand(_asked.Epochs)
            && AreKnown(_asked.Threads) && AreKnown(_asked.Tasks) && AreKnown(_asked.Parents) && HaveKnownReaders(_asked.Telling)
            && AreLeaves(_asked.Trees) && AreAllOfTheirMail(_asked.Acknowledged);
    }

    /// <summary>Begins a transaction ahead, for batches of which each is at hand.</summary>
    /// <returns>On what it relies; <see langword="null"/> where there are not enough numbers.</returns>
    public Reliance? TryBeginAhead(IReadOnlyCollection<MutationBatch> batches)
    {
        var epochs = new SortedSet<long>();
        var tasks = 0;
        foreach (var batch in batches)
        {
            epochs.Add(batch.Host.Epoch);
            tasks += batch.Mutations.Count;
        }

        if (!numbers.HasAtHand(tasks))
        {
            return null;
        }

        connection.BeginAhead();
        return new Reliance(hosts.SharedLocks(epochs), hosts.OpenHosts(), numbers.RestoredThrough, numbers.Facts);
    }

    /// <summary>Begins a transaction for batches, with the locks of some threads beside those that the batches ask for.</summary>
    public void Begin(IReadOnlyCollection<MutationBatch> batches, IReadOnlyCollection<long> locks)
    {
        var asked = Asked.Of(batches);
        numbers.Reserve(asked.NewTasks);
        threads.EnsureAll(asked.NewThreads);
        threads.FindAll(asked.Threads);
        var found = Climb(asked);
        var wanted = Wanted(asked, found, locks);

        connection.Begin();
        var questions = new List<Question>();
        long[] epochs = [.. asked.Epochs];
        if (batches.Count > 0)
        {
            questions.Add(hosts.AskLocks(epochs, asked.Joins));
        }

        if (wanted.Length > 0)
        {
            questions.Add(threads.AskLocked(wanted));
        }

        if (batches.Count > 0)
        {
            questions.Add(numbers.Ask(asked.Turns));
            questions.Add(hosts.AskAll(epochs));
        }

        tasks.Ask(questions, found);
        tasks.AskWork(questions, found.FindAll(task => asked.Work.Contains(task.Number)));
        tasks.AskKinds(questions, InThreads(asked.Kinds));
        if (asked.Claims)
        {
            questions.Add(numbers.AskClaim());
        }

        AskNames(questions, InThreads(asked.Names));
        AskKeys(questions, InThreads(asked.Keys));
        AskWaiting(questions, Told(asked, found));
        connection.Ask(questions, isApart: true);
    }

    private bool AreKnown(HashSet<string> some)
    {
        foreach (var thread in some)
        {
            if (threads.AtHand(thread) is not { } number || !connection.Facts.Has(number))
            {
                return false;
            }
        }

        return true;
    }

    private bool AreKnown(HashSet<long> some)
    {
        foreach (var task in some)
        {
            if (memory.Find(task) is not { } owner || !connection.Facts.Has(owner) || connection.Facts.Of(owner).Tasks.GetValueOrDefault(task) is not { } head
                || (head.AgentThread is { } agent && !connection.Facts.Has(agent)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a thread is known and no message is in its mailbox, which would have to be looked at one by one when an agent ends or acknowledges.</summary>
    private bool HasNoMessages(long thread) => connection.Facts.Find(thread)?.Entry is { Head.Unacknowledged.Messages: 0 };

    private bool AreLeaves(HashSet<long> some)
    {
        foreach (var task in some)
        {
            if (!connection.Facts.Of(memory.Find(task)!.Value).Children.TryGetValue(task, out var count) || count != 0)
            {
                return false;
            }
        }

        return true;
    }

    private bool AreAllOfTheirMail(List<(string Thread, long Through)> some)
    {
        foreach (var (thread, through) in some)
        {
            var number = threads.AtHand(thread)!.Value;
            if (!HasNoMessages(number) || through < connection.Facts.Of(number).Entry!.Head.LastSequence)
            {
                return false;
            }
        }

        return true;
    }

    private bool HaveKnownReaders(HashSet<long> some)
    {
        foreach (var task in some)
        {
            var facts = connection.Facts.Of(memory.Find(task)!.Value);
            if (!facts.Waiting.IsKnown || (facts.Tasks[task]!.Value.AgentThread is { } agent && !HasNoMessages(agent)))
            {
                return false;
            }
        }

        return true;
    }

    private static string[] TextsOf(List<(long Owner, string Text)> some) => [.. some.Select(static one => one.Text)];

    /// <summary>The tasks that are asked for and whose they are, those above a new one among them.</summary>
    private List<(long Owner, long Number)> Climb(Asked asked)
    {
        owners.OfAll([.. asked.Tasks, .. asked.Parents]);
        var all = new HashSet<long>(asked.Tasks);
        foreach (var ending in asked.Telling)
        {
            // An ended parent may be kept on its branch by nothing else.
            if (memory.FindEntry(ending)?.Parent is { } above)
            {
                all.Add(above);
            }
        }

        foreach (var parent in asked.Parents)
        {
            var height = 0;
            for (long? next = parent; next is { } number && height < LongestClimb; height++)
            {
                all.Add(number);
                next = memory.FindEntry(number)?.Parent;
            }
        }

        var found = new List<(long Owner, long Number)>();
        foreach (var number in all)
        {
            if (memory.Find(number) is { } owner)
            {
                found.Add((owner, number));
            }
        }

        return found;
    }

    private long[] Wanted(Asked asked, List<(long Owner, long Number)> found, IReadOnlyCollection<long> locks)
    {
        var wanted = new SortedSet<long>(locks);
        foreach (var thread in asked.Threads)
        {
            if (threads.AtHand(thread) is { } number)
            {
                wanted.Add(number);
            }
        }

        foreach (var (owner, number) in found)
        {
            wanted.Add(owner);

            // Where a task ends, its agent's mail is buried.
            if (asked.Tasks.Contains(number) && memory.FindEntry(number)?.AgentThread is { } agent)
            {
                wanted.Add(agent);
            }
        }

        return [.. wanted];
    }

    private List<(long Owner, string Text)> InThreads(HashSet<(string Thread, string Text)> asked)
    {
        var some = new List<(long Owner, string Text)>(asked.Count);
        foreach (var (thread, text) in asked)
        {
            if (threads.AtHand(thread) is { } owner)
            {
                some.Add((owner, text));
            }
        }

        return some;
    }

    private long[] Told(Asked asked, List<(long Owner, long Number)> found)
    {
        var told = new SortedSet<long>();
        foreach (var thread in asked.Mailboxes)
        {
            if (threads.AtHand(thread) is { } number)
            {
                told.Add(number);
            }
        }

        foreach (var (owner, number) in found)
        {
            if (asked.Telling.Contains(number))
            {
                told.Add(owner);
            }
        }

        return [.. told];
    }

    private void AskNames(List<Question> questions, List<(long Owner, string Text)> some)
    {
        if (some.Count > 0)
        {
            questions.Add(_names.Bind([.. some.Select(static one => one.Owner)]).Bind(TextsOf(some)).Ask(rows =>
            {
                while (rows.Next())
                {
                    branches.KnowName(rows.Number(0), rows.Text(1), isTaken: true);
                }

                foreach (var (owner, name) in some)
                {
                    branches.KnowName(owner, name, isTaken: false);
                }
            }));
        }
    }

    private void AskKeys(List<Question> questions, List<(long Owner, string Text)> some)
    {
        if (some.Count > 0)
        {
            questions.Add(_keys.Bind([.. some.Select(static one => one.Owner)]).Bind(TextsOf(some)).Ask(rows =>
            {
                while (rows.Next())
                {
                    work.KnowKey(rows.Number(0), rows.Text(1), rows.Number(2));
                }

                foreach (var (owner, key) in some)
                {
                    work.KnowKey(owner, key, number: null);
                }
            }));
        }
    }

    private void AskWaiting(List<Question> questions, long[] some)
    {
        if (some.Length > 0)
        {
            questions.Add(_waiting.Bind(some).Ask(rows =>
            {
                while (rows.Next())
                {
                    branches.KnowWaiting(rows.Number(0), rows.NumberOrNull(1));
                }
            }));
        }
    }
}
