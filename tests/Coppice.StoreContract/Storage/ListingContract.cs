namespace Coppice.StoreContract;

/// <summary>Law 5 and queries: lists agree with <see cref="TaskQuery.Matches"/>, run in one order, and go on where they stopped.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ListingContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly string[] Threads = ["t1", "t2", "T1"];
    private static readonly string?[] Names = [null, "worker", "Worker", "50%_off", "ünï"];
    private static readonly string[] Types = ["task", "crawl", "Crawl"];
    private static readonly string?[] Runs = [null, "r1", "r2"];
    private static readonly string[] Descriptions = ["", "fetch Pages", "50% _done_ [x]", "ÜNÏ straße", "C:\\path*?"];
    private static readonly string[] Texts = ["page", "PAGE", "%", "_", "[x]", "\\", "*", "bg_1", "BOOM", "ÜNÏ", "ünï", "straße", "worker", ""];

    [Fact]
    public async Task Lists_run_by_creation_time_and_then_by_number()
    {
        var host = await JoinAsync();
        var noon = host.Now;
        var ids = new List<string>();
        for (var i = 0; i < 12; i++)
        {
            ids.Add(await host.AddAsync());
        }

        host.Now = noon.AddSeconds(-1);
        var earlier = await host.AddAsync();

        Assert.Equal([earlier, .. ids], await ListAsync(new TaskQuery()));
        Assert.Equal([earlier, .. ids], await ListAsync(new TaskQuery { OwnerThreadId = "t1" }));
    }

    [Fact]
    public async Task Foreign_ids_come_after_numbered_ones_of_the_same_time_in_ordinal_order()
    {
        var host = await JoinAsync();
        var tasks = new[] { "b", "bg_007", "a", "B", "bg_10", "bg_9", "é", "bg_9007199254740993" }
            .Select(id => new TaskSnapshot { TaskId = id, State = TaskState.Completed, CreatedAt = host.Now, CompletedAt = host.Now })
            .ToList();
        await host.AnswerAsync(new RestoreTasks("t1", tasks));

        Assert.Equal(["bg_9", "bg_10", "B", "a", "b", "bg_007", "bg_9007199254740993", "é"], await ListAsync(new TaskQuery { OwnerThreadId = "t1" }));
        Assert.Equal(["bg_9", "bg_10", "B", "a", "b", "bg_007", "bg_9007199254740993", "é"], await ListAsync(new TaskQuery()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Lists_agree_with_the_querys_own_judgement_whatever_is_asked(int round)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage("Round {0} has seed {1}.", round, seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var host = await JoinAsync();
        await FillAsync(host, random, 80);
        var all = await Store.ListAsync(new TaskQuery(), null, 1_000, Stop);
        Assert.Equal(80, all.Count);
        Assert.Equal(all.OrderBy(static task => TaskCursor.After(task), Comparer<TaskCursor>.Create(TaskCursor.Compare)), all);

        for (var i = 0; i < 150; i++)
        {
            var query = RandomQuery(random, host.Now, all);
            var expected = all.Where(query.Matches).ToList();
            var found = await PagedAsync(query, random.Next(1, 30));
            Assert.True(
                expected.SequenceEqual(found),
                $"Seed {seed}: {query} should give {string.Join(' ', expected.Select(static task => task.TaskId))}, "
                + $"but gave {string.Join(' ', found.Select(static task => task.TaskId))}.");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Lists_of_live_tasks_agree_with_the_querys_own_judgement_page_by_page(int limit)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var host = await JoinAsync();
        await FillAsync(host, random, 60);
        var all = await Store.ListAsync(new TaskQuery(), null, 1_000, Stop);

        foreach (var thread in Threads.Append(null).Append("nobody"))
        {
            foreach (var states in new TaskState[][] { [TaskState.Running], [TaskState.Pending, TaskState.InputRequired], [TaskState.Pending, TaskState.Running, TaskState.InputRequired] })
            {
                var query = new TaskQuery { OwnerThreadId = thread, States = states };
                var narrow = query with { ParentTaskId = Pick(random, all).TaskId };
                Assert.Equal(all.Where(query.Matches), await PagedAsync(query, limit));
                Assert.Equal(all.Where(narrow.Matches), await PagedAsync(narrow, limit));
            }
        }
    }

    [Fact]
    public async Task A_list_of_live_tasks_goes_on_where_it_stopped_while_tasks_come_and_end()
    {
        var host = await JoinAsync();
        var ids = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            ids.Add(await host.AddAsync());
        }

        var query = new TaskQuery { OwnerThreadId = "t1", States = [TaskState.Running] };
        var first = await Store.ListAsync(query, null, 4, Stop);
        await host.FinishAsync(ids[3]);
        await host.FinishAsync(ids[5]);
        var added = await host.AddAsync();
        var rest = await Store.ListAsync(query, TaskCursor.After(first[^1]), 100, Stop);

        Assert.Equal(ids[..4], first.Select(static task => task.TaskId));
        Assert.Equal([ids[4], ids[6], ids[7], added], rest.Select(static task => task.TaskId));
    }

    [Fact]
    public async Task A_list_goes_on_where_it_stopped_while_tasks_come_and_end()
    {
        var host = await JoinAsync();
        for (var i = 0; i < 10; i++)
        {
            await host.AddAsync();
        }

        var first = await Store.ListAsync(new TaskQuery { OwnerThreadId = "t1" }, null, 4, Stop);
        await host.FinishAsync(first[1].TaskId);
        await host.AddAsync();
        var rest = await Store.ListAsync(new TaskQuery { OwnerThreadId = "t1" }, TaskCursor.After(first[^1]), 100, Stop);

        Assert.Equal(4, first.Count);
        Assert.Equal(7, rest.Count);
        Assert.Empty(first.Select(static task => task.TaskId).Intersect(rest.Select(static task => task.TaskId)));
    }

    [Fact]
    public async Task A_cursor_of_a_task_that_is_gone_still_marks_its_place()
    {
        var host = await JoinAsync();
        var gone = await host.AddAsync();
        var cursor = TaskCursor.After((await Store.GetAsync(gone, Stop))!);
        var next = await host.AddAsync();
        await host.FinishAsync(gone);
        await host.AnswerAsync(new PruneTasks(host.Now.AddDays(1)));

        Assert.Equal([next], (await Store.ListAsync(new TaskQuery(), cursor, 10, Stop)).Select(static task => task.TaskId));
    }

    [Fact]
    public async Task Nothing_matches_no_states_at_all()
    {
        var host = await JoinAsync();
        await host.AddAsync();
        Assert.Empty(await ListAsync(new TaskQuery { States = [] }));
    }

    [Fact]
    public async Task An_unknown_task_is_null()
    {
        await JoinAsync();
        Assert.Null(await Store.GetAsync("bg_0", Stop));
        Assert.Null(await Store.GetAsync("nonsense ' ; --", Stop));
        Assert.Null(await Store.GetAsync("", Stop));
    }

    [Fact]
    public async Task Tasks_outlive_the_process()
    {
        var host = await JoinAsync();
        await FillAsync(host, new Random(7), 30);
        await host.AnswerAsync(new LeaveHost());
        var before = await Store.ListAsync(new TaskQuery(), null, 100, Stop);

        await ReopenAsync();

        Assert.Equal(before, await Store.ListAsync(new TaskQuery(), null, 100, Stop));
    }

    private static async Task FillAsync(StoreHost host, Random random, int count)
    {
        var noon = host.Now;
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
        {
            host.Now = noon.AddMilliseconds(random.Next(20));
            var add = new AddTask
            {
                OwnerThreadId = Pick(random, Threads),
                Type = Pick(random, Types),
                Name = Pick(random, Names),
                Description = Pick(random, Descriptions),
                State = random.Next(4) == 0 ? TaskState.Pending : TaskState.Running,
                Lineage = new TaskLineage { RunId = Pick(random, Runs), TaskId = ids.Count > 0 && random.Next(2) == 0 ? Pick(random, ids) : null },
            };
            var result = await host.CommitAsync(add);
            if (result.Status != CommitStatus.Landed)
            {
                result = await host.CommitAsync(add with { Name = null });
            }

            var id = Assert.IsType<TaskAdded>(result.Answers[0]).TaskId;
            ids.Add(id);
            switch (random.Next(5))
            {
                case 0 when add.State == TaskState.Running:
                    await host.FinishAsync(id);
                    break;
                case 1:
                    await host.FinishAsync(id, TaskState.Failed);
                    break;
                case 2:
                    await host.FinishAsync(id, TaskState.Cancelled);
                    break;
                case 3 when add.State == TaskState.Running:
                    await host.AnswerAsync(new MoveTask(id, TaskState.InputRequired));
                    break;
            }
        }

        host.Now = noon;
    }

    private static TaskQuery RandomQuery(Random random, DateTimeOffset noon, IReadOnlyList<TaskSnapshot> all)
    {
        var query = new TaskQuery();
        query = Maybe(random) ? query with { OwnerThreadId = Pick(random, Threads) } : query;
        query = Maybe(random) ? query with { Type = Pick(random, Types) } : query;
        query = Maybe(random) ? query with { Name = Pick(random, Names) } : query;
        query = Maybe(random) ? query with { RunId = Pick(random, Runs) } : query;
        query = Maybe(random) ? query with { ParentTaskId = Pick(random, all).TaskId } : query;
        query = Maybe(random) ? query with { CreatedFrom = noon.AddMilliseconds(random.Next(20)) } : query;
        query = Maybe(random) ? query with { CreatedBefore = noon.AddMilliseconds(random.Next(20)).ToOffset(TimeSpan.FromHours(2)) } : query;
        query = Maybe(random) ? query with { Text = Pick(random, Texts) } : query;
        return Maybe(random)
            ? query with { States = [.. Enum.GetValues<TaskState>().Where(_ => random.Next(2) == 0)] }
            : query;
    }

    private static bool Maybe(Random random) => random.Next(4) == 0;

    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private async Task<IEnumerable<string>> ListAsync(TaskQuery query) =>
        (await Store.ListAsync(query, null, 100, Stop)).Select(static task => task.TaskId);

    private async Task<List<TaskSnapshot>> PagedAsync(TaskQuery query, int limit)
    {
        var found = new List<TaskSnapshot>();
        TaskCursor? after = null;
        while (true)
        {
            var page = await Store.ListAsync(query, after, limit, Stop);
            Assert.InRange(page.Count, 0, limit);
            found.AddRange(page);
            if (page.Count < limit)
            {
                return found;
            }

            after = TaskCursor.After(page[^1]);
        }
    }
}
