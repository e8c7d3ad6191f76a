namespace Coppice.PostgreSql;

/// <summary>Reads what rules decide about tasks by, many at a time, and tells it to the rows. The transaction holds their threads.</summary>
internal sealed class TaskQuestions(
    WriterConnection connection, OwnerMemory memory, TaskRows tasks, BranchRows branches, WorkRows work, LaneRows lanes, KindRows kinds)
{
    private const int MostCounted = 64;

    private const string Columns =
        """
        t.n, t.owner_thread_id, t.state, t.cancel_ms IS NOT NULL, t.parent, t.host_epoch, t.events_through, t.agent_thread, t.agent_open, t.kind, t.name,
        t.run_id, (SELECT count(*) FROM (SELECT 1 FROM {schema}.branches c WHERE c.parent = t.n LIMIT 64) counted)
        """;

    internal const string KindsSql =
        """
        SELECT a.o, k.n, k.name, l.running, l.ready, l.priority, l.version, l.turn
        FROM unnest($1, $2) AS a (o, name) JOIN {schema}.kinds k ON {schema}.index_key(k.name) = {schema}.index_key(a.name)
            LEFT JOIN {schema}.lanes l ON l.owner_thread_id = a.o AND l.kind = k.n
        """;

    private readonly Statement _task = connection.PrepareApart($"SELECT {Columns} FROM {{schema}}.tasks t WHERE t.owner_thread_id = $1 AND t.n = $2");
    private readonly Statement _tasks = connection.PrepareApart(
        $"SELECT {Columns} FROM unnest($1, $2) AS a (o, n) JOIN {{schema}}.tasks t ON t.owner_thread_id = a.o AND t.n = a.n");

    private readonly Statement _work = connection.PrepareApart(
        """
        SELECT a.n, a.o, w.kind, w.version, w.recovery, w.max_crashes, w.priority, w.deadline_ms, w.attempt, w.failures, w.crashes, w.claim, w.rank, w.due_ms,
            w.has_steps, w.has_checkpoint, k.name, l.running, l.ready, l.priority, l.version, l.turn
        FROM unnest($1, $2) AS a (o, n) JOIN {schema}.work w ON w.owner_thread_id = a.o AND w.n = a.n JOIN {schema}.kinds k ON k.n = w.kind
            LEFT JOIN {schema}.lanes l ON l.owner_thread_id = a.o AND l.kind = w.kind
        """);

    private readonly Statement _kinds = connection.PrepareApart(KindsSql);

    /// <summary>Reads tasks with their work.</summary>
    public void Know(List<(long Owner, long Number)> some)
    {
        var questions = new List<Question>();
        Ask(questions, some);
        AskWork(questions, some);
        connection.Ask(questions, isApart: false);
    }

    /// <summary>Asks for tasks, and for what hangs on them.</summary>
    public void Ask(List<Question> questions, List<(long Owner, long Number)> some)
    {
        if (some.Count == 0)
        {
            return;
        }

        var statement = some is [var (owner, number)] ? _task.Bind(owner).Bind(number) : _tasks.Bind(OwnersOf(some)).Bind(NumbersOf(some));
        questions.Add(statement.Ask(rows =>
        {
            while (rows.Next())
            {
                Know(rows);
            }

            foreach (var (absentOf, absent) in some)
            {
                tasks.Know(absentOf, absent, head: null);
            }
        }));
    }

    /// <summary>Asks for the work of tasks, of those that have any.</summary>
    public void AskWork(List<Question> questions, List<(long Owner, long Number)> some)
    {
        if (some.Count > 0)
        {
            questions.Add(_work.Bind(OwnersOf(some)).Bind(NumbersOf(some)).Ask(rows =>
            {
                while (rows.Next())
                {
                    var head = WorkRows.ReadHead(rows.Number(0), rows.Number(1), rows, 2);
                    work.Know(head);
                    kinds.Know(head.Kind, rows.Text(16));
                    lanes.Know(head.Lane, rows, 17);
                }
            }));
        }
    }

    /// <summary>Asks for kinds of which threads get work, and for the lanes of the two. The transaction shares the lock of all kinds from then on.</summary>
    public void AskKinds(List<Question> questions, List<(long Owner, string Kind)> some)
    {
        if (some.Count == 0)
        {
            return;
        }

        questions.Add(kinds.AskShare());
        questions.Add(_kinds.Bind([.. some.Select(static one => one.Owner)]).Bind([.. some.Select(static one => one.Kind)]).Ask(rows =>
        {
            while (rows.Next())
            {
                kinds.Know(rows.Number(1), rows.Text(2));
                lanes.Know(lanes.NumberOf(rows.Number(1), rows.Number(0)), rows, 3);
            }
        }));
    }

    private static long[] OwnersOf(List<(long Owner, long Number)> some) => [.. some.Select(static task => task.Owner)];

    private static long[] NumbersOf(List<(long Owner, long Number)> some) => [.. some.Select(static task => task.Number)];

    /// <summary>Takes in a task; while it is live it is on a branch, and what that says of it stands in its own row too.</summary>
    private void Know(RowScope rows)
    {
        var number = rows.Number(0);
        var task = TaskRows.ReadHead(number, rows, 1);
        tasks.Know(task.Owner, number, task);
        memory.Add(task);
        branches.KnowChildren(task.Owner, number, rows.Number(12) is var count and < MostCounted ? (int)count : ThreadFacts.Some);
        if (task.IsLive)
        {
            var run = task.Parent is null ? rows.TextOrNull(11) : null;
            branches.Know(new BranchRow(number, task.Parent, task.Owner, HasEnded: false, rows.TextOrNull(10), run));
        }
    }
}
