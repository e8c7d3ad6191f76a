namespace Coppice.StoreContract;

/// <summary>Law 4: names.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law04NamesContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    public static TheoryData<string> ReservedNames() =>
        ["parent", "self", "all", "broadcast", "PARENT", "Self", "aLL", "BroadCast", "bg_0", "bg_1", "BG_7", "Bg_007", "bg_99999999999999999999999999"];

    public static TheoryData<string> InvalidNames() =>
    [
        "", " ", " lead", "trail ", "\tlead", "trail\n", "\u00a0lead", "trail\u3000", "in\u0000side", "in\u0007side", "line\nbreak", "del\u007f",
        "c1\u0085x", new string('x', 129),
    ];

    public static TheoryData<string> ValidNames() =>
    [
        "a", "worker", "two words", "ünï-🌳", "bg_", "bg_x", "bg_1x", "xbg_1", "bg-1", "parents", "self.", "' or 1=1 --", "50%_off", new string('x', 128), "../..",
    ];

    [Theory]
    [MemberData(nameof(ReservedNames))]
    public async Task A_reserved_name_is_refused_before_any_io(string name) => await Assert_refused(SpawnError.ReservedName, "reserved_name", name);

    [Theory]
    [MemberData(nameof(InvalidNames))]
    public async Task An_invalid_name_is_refused_before_any_io(string name) => await Assert_refused(SpawnError.InvalidName, "invalid_name", name);

    [Theory]
    [InlineData(0xD800)]
    [InlineData(0xDFFF)]
    public async Task A_name_with_a_lone_surrogate_is_refused_before_any_io(int surrogate) =>
        await Assert_refused(SpawnError.InvalidName, "invalid_name", "a" + (char)surrogate + "b");

    [Theory]
    [MemberData(nameof(ValidNames))]
    public async Task Every_other_name_is_kept_as_it_is(string name)
    {
        var manager = await StartAsync();

        var id = await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = name }, Stop).Within();

        Assert.Equal(name, (await manager.GetAsync(id, Stop))!.Name);
    }

    [Fact]
    public async Task A_thousand_concurrent_spawns_of_one_name_start_one_task_and_take_one_id()
    {
        var manager = await StartAsync();
        var runs = 0;

        var spawns = await ContendAsync(1_000, _ => manager.SpawnAsync("t1", context =>
        {
            Interlocked.Increment(ref runs);
            return Bodies.Park(context);
        }, new SpawnOptions { Name = "worker" }, Stop));

        var winner = Assert.Single(spawns, static spawn => spawn is not null);
        Assert.Equal([winner!], (await manager.ListAsync("t1", Stop)).Select(static task => task.TaskId));
        var next = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        Assert.True(Fixture.IdsMayHaveGaps || next == "bg_1", $"The refused spawns used up ids: {next} came next.");
        await manager.CancelAsync(winner!, Stop).Within();
        await manager.WaitAsync(winner!, Stop).Within();
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task A_thousand_concurrent_spawns_of_one_name_on_two_hosts_start_one_task()
    {
        var managers = new[] { await StartAsync(), await StartAsync() };

        var spawns = await ContendAsync(
            1_000, i => managers[i % 2].SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = "worker" }, Stop));

        Assert.Single(spawns, static spawn => spawn is not null);
        Assert.Single(await managers[0].ListAsync("t1", Stop));
    }

    [Fact]
    public async Task A_refused_spawn_says_what_to_do()
    {
        var manager = await StartAsync();
        await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = "worker" }, Stop).Within();

        var refused = await Assert.ThrowsAsync<SpawnException>(
            () => manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = "worker" }, Stop).Within());

        Assert.Equal((SpawnError.DuplicateName, "duplicate_name"), (refused.Error, refused.Code));
        Assert.Contains("worker", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TaskState.Completed)]
    [InlineData(TaskState.Failed)]
    [InlineData(TaskState.Cancelled)]
    public async Task A_name_is_free_again_once_its_task_is_terminal(TaskState state)
    {
        var manager = await StartAsync();
        var options = new SpawnOptions { Name = "worker" };
        for (var round = 0; round < 10; round++)
        {
            var id = await manager.SpawnAsync("t1", _ => Bodies.As(state), options, Stop).Within();
            await manager.WaitAsync(id, Stop).Within();
        }

        Assert.Equal(10, (await manager.ListAsync("t1", Stop)).Count);
    }

    [Fact]
    public async Task A_name_is_taken_until_its_task_is_terminal_also_after_a_cancel_request()
    {
        var manager = await StartAsync();
        var finish = new Signal();
        var options = new SpawnOptions { Name = "worker" };
        var id = await manager.SpawnAsync("t1", Bodies.Only(finish), options, Stop).Within();
        await manager.CancelAsync(id, Stop).Within();

        await Assert.ThrowsAsync<SpawnException>(() => manager.SpawnAsync("t1", Bodies.Park, options, Stop).Within());
        finish.Set();
        await manager.WaitAsync(id, Stop).Within();
        await manager.SpawnAsync("t1", Bodies.Park, options, Stop).Within();
    }

    [Fact]
    public async Task Names_are_ordinal_and_belong_to_one_thread()
    {
        var manager = await StartAsync();
        foreach (var (thread, name) in new[] { ("t1", "worker"), ("t1", "Worker"), ("t1", "\u00e9"), ("t1", "e\u0301"), ("t2", "worker"), ("T1", "worker") })
        {
            await manager.SpawnAsync(thread, Bodies.Park, new SpawnOptions { Name = name }, Stop).Within();
        }

        Assert.Equal(4, (await manager.ListAsync("t1", Stop)).Count);
    }

    [Fact]
    public async Task Agents_and_tasks_share_their_threads_names()
    {
        var manager = await StartAsync();
        var options = new SpawnOptions { Name = "worker" };
        await manager.SpawnAgentAsync("t1", Bodies.Park, options, Stop).Within();

        await Assert.ThrowsAsync<SpawnException>(() => manager.SpawnAsync("t1", Bodies.Park, options, Stop).Within());
    }

    [Fact]
    public async Task A_task_that_nobody_named_has_no_name()
    {
        var manager = await StartAsync();
        var ids = new[]
        {
            await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within(),
            await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions(), Stop).Within(),
        };

        Assert.All(await manager.ListAsync("t1", Stop), static task => Assert.Null(task.Name));
        Assert.Equal(2, ids.Distinct().Count());
    }

    [Fact]
    public async Task A_name_that_changes_hands_has_one_task_at_a_time()
    {
        var manager = await StartAsync();
        var holders = 0;
        await Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var won = 0; won < 20;)
            {
                try
                {
                    var id = await manager.SpawnAsync("t1", async _ =>
                    {
                        var now = Interlocked.Increment(ref holders);
                        await Task.Yield();
                        Interlocked.Decrement(ref holders);
                        return now == 1 ? TaskOutcome.Success("alone") : TaskOutcome.Failure("shared");
                    }, new SpawnOptions { Name = "worker" }, Stop);
                    won++;
                    Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop).Within()).State);
                }
                catch (SpawnException refused)
                {
                    Assert.Equal(SpawnError.DuplicateName, refused.Error);
                    await Task.Yield();
                }
            }
        }, Stop)).AllWithin();
    }

    private static Task<string?[]> ContendAsync(int count, Func<int, ValueTask<string>> spawn)
    {
        var start = new Signal();
        var all = Enumerable.Range(0, count).Select(i => Task.Run(async () =>
        {
            await start.Task;
            try
            {
                return await spawn(i);
            }
            catch (SpawnException refused)
            {
                Assert.Equal(SpawnError.DuplicateName, refused.Error);
                return null;
            }
        }, Stop)).ToList();
        start.Set();
        return all.AllWithin();
    }

    private async Task Assert_refused(SpawnError error, string code, string name)
    {
        var store = new FaultyStore(Store);
        var manager = await StartAsync(store: store);
        var commits = store.Commits;

        var refused = await Assert.ThrowsAsync<SpawnException>(
            () => manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = name }, Stop).Within());

        Assert.Equal((error, code), (refused.Error, refused.Code));
        Assert.Equal(commits, store.Commits);
        Assert.Empty(await manager.ListAsync("t1", Stop));
    }
}
