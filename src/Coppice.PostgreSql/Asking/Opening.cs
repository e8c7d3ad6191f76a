namespace Coppice.PostgreSql;

/// <summary>
/// Begins a transaction in one round trip: takes the locks, and reads under them what the rules will ask for. The rows then know it, what is not there
/// included.
/// </summary>
internal sealed class Opening(
    WriterConnection connection, OwnerMemory memory, TaskOwners owners, NumberRows numbers, HostRows hosts, ThreadRows threads, TaskRows tasks, BranchRows branches,
    WorkRows work)
{
    // A chain of parents that is longer is climbed by the rules themselves.
    private const int LongestClimb = 16;

    // The task, its branch, that of its parent, and whether something hangs on it.
    private readonly Statement _tasks = connection.PrepareApart(
        """
        SELECT a.n, a.o, t.n IS NOT NULL, t.owner_thread_id, t.state, t.cancel_ms IS NOT NULL, t.parent, t.host_epoch, t.events_through, t.agent_thread,
            t.agent_open, t.kind, b.n IS NOT NULL, b.parent, b.ended, b.name, b.run_id, EXISTS (SELECT 1 FROM {schema}.branches c WHERE c.parent = a.n),
            t.parent_owner, p.n IS NOT NULL, p.parent, p.ended, p.name, p.run_id
        FROM unnest($1, $2) AS a (o, n)
            LEFT JOIN {schema}.tasks t ON t.owner_thread_id = a.o AND t.n = a.n
            LEFT JOIN {schema}.branches b ON b.owner_thread_id = a.o AND b.n = a.n
            LEFT JOIN {schema}.branches p ON p.owner_thread_id = t.parent_owner AND p.n = t.parent
        """);

    private readonly Statement _work = connection.PrepareApart(
        """
        SELECT a.n, a.o, w.kind, w.version, w.recovery, w.max_crashes, w.priority, w.deadline_ms, w.attempt, w.failures, w.crashes, w.claim, w.rank, w.due_ms,
            w.has_steps, w.has_checkpoint
        FROM unnest($1, $2) AS a (o, n) JOIN {schema}.work w ON w.owner_thread_id = a.o AND w.n = a.n
        """);

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
        SELECT a, (SELECT n FROM {schema}.branches
            WHERE agent_thread = a AND kind IS NOT NULL AND host_epoch IS NULL AND NOT ended ORDER BY n LIMIT 1)
        FROM unnest($1) AS a
        """);

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
        if (asked.Epochs.Count > 0)
        {
            questions.Add(hosts.AskShared([.. asked.Epochs]));
        }

        if (wanted.Length > 0)
        {
            questions.Add(threads.AskLocked(wanted));
        }

        if (batches.Count > 0)
        {
            questions.Add(numbers.Ask(asked.Revisions, asked.Turns));
        }

        if (asked.Epochs.Count > 0)
        {
            questions.Add(hosts.AskAll([.. asked.Epochs]));
        }

        AskTasks(questions, found);
        AskWork(questions, found.FindAll(task => asked.Work.Contains(task.Number)));
        AskNames(questions, InThreads(asked.Names));
        AskKeys(questions, InThreads(asked.Keys));
        AskWaiting(questions, Told(asked, found));
        connection.Ask(questions);
    }

    private static long[] OwnersOf(List<(long Owner, long Number)> some) => [.. some.Select(static task => task.Owner)];

    private static long[] NumbersOf(List<(long Owner, long Number)> some) => [.. some.Select(static task => task.Number)];

    private static string[] TextsOf(List<(long Owner, string Text)> some) => [.. some.Select(static one => one.Text)];

    private static BranchRow? Branch(RowScope rows, int from, long number, long owner) => rows.Flag(from)
        ? new BranchRow(number, rows.NumberOrNull(from + 1), owner, rows.Flag(from + 2), rows.TextOrNull(from + 3), rows.TextOrNull(from + 4))
        : null;

    /// <summary>The tasks that are asked for and whose they are, those above a new one among them.</summary>
    private List<(long Owner, long Number)> Climb(Asked asked)
    {
        owners.OfAll([.. asked.Tasks, .. asked.Parents]);
        var all = new HashSet<long>(asked.Tasks);
        foreach (var parent in asked.Parents)
        {
            var height = 0;
            for (long? next = parent; next is { } number && height < LongestClimb && all.Add(number); height++)
            {
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
            if (!asked.Tasks.Contains(number) || memory.FindEntry(number) is not { } entry)
            {
                continue;
            }

            // Where a task ends, its agent's mail is buried, and an ended parent may be kept by nothing else.
            if (entry.AgentThread is { } agent)
            {
                wanted.Add(agent);
            }

            if (entry.Parent is { } parent && memory.Find(parent) is { } above)
            {
                wanted.Add(above);
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

    private void AskTasks(List<Question> questions, List<(long Owner, long Number)> some)
    {
        if (some.Count == 0)
        {
            return;
        }

        questions.Add(_tasks.Bind(OwnersOf(some)).Bind(NumbersOf(some)).Ask(rows =>
        {
            while (rows.Next())
            {
                var (number, owner) = (rows.Number(0), rows.Number(1));
                var isThere = rows.Flag(2);
                TaskHead? head = isThere ? TaskRows.ReadHead(number, rows, 3) : null;
                tasks.Know(number, head);
                branches.Know(number, Branch(rows, 12, number, owner), rows.Flag(17));
                if (head is not { } task)
                {
                    continue;
                }

                memory.Add(task);
                if (task.Parent is { } parent && rows.NumberOrNull(18) is { } above && connection.Holds(above))
                {
                    branches.Know(parent, Branch(rows, 19, parent, above));
                }
            }
        }));
    }

    private void AskWork(List<Question> questions, List<(long Owner, long Number)> some)
    {
        if (some.Count > 0)
        {
            questions.Add(_work.Bind(OwnersOf(some)).Bind(NumbersOf(some)).Ask(rows =>
            {
                while (rows.Next())
                {
                    work.Know(WorkRows.ReadHead(rows.Number(0), rows.Number(1), rows, 2));
                }
            }));
        }
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
