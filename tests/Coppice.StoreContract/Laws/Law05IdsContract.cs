namespace Coppice.StoreContract;

/// <summary>Law 5: ids, and the order of lists.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law05IdsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task Ids_count_up_from_zero_in_a_new_store()
    {
        var manager = await StartAsync();
        var numbers = new List<long>();
        for (var i = 0; i < 10; i++)
        {
            numbers.Add(Number(await manager.SpawnAsync($"t{i % 3}", Bodies.Done, cancellationToken: Stop).Within()));
        }

        Assert.Equal(numbers.Order(), numbers);
        Assert.True(Fixture.IdsMayHaveGaps || numbers.SequenceEqual(Enumerable.Range(0, 10).Select(static n => (long)n)));
    }

    [Fact]
    public async Task Concurrent_spawns_on_many_threads_get_ids_of_their_own_without_gaps()
    {
        var manager = await StartAsync();

        var ids = await Enumerable.Range(0, 1_000)
            .Select(i => Task.Run(async () => await manager.SpawnAsync($"t{i % 16}", Bodies.Done, cancellationToken: Stop), Stop))
            .AllWithin();

        var numbers = ids.Select(Number).Order().ToList();
        Assert.Equal(1_000, numbers.Distinct().Count());
        Assert.True(Fixture.IdsMayHaveGaps || numbers.SequenceEqual(Enumerable.Range(0, 1_000).Select(static n => (long)n)));
        await ids.Select(id => manager.WaitAsync(id, Stop)).AllWithin();
    }

    [Fact]
    public async Task Refused_spawns_leave_no_gap()
    {
        Assert.SkipWhen(Fixture.IdsMayHaveGaps, "Ids may have gaps on this store.");
        var manager = await StartAsync(static options => (options.MaxDepth, options.ShutdownGracePeriod) = (1, TimeSpan.Zero));
        var cancelled = await manager.SpawnAsync("t1", Bodies.Only(new Signal()), new SpawnOptions { Name = "worker" }, Stop).Within();
        await RefuseAsync(manager, SpawnError.DuplicateName, new SpawnOptions { Name = "worker" });
        await RefuseAsync(manager, SpawnError.TooDeep, new SpawnOptions { Lineage = new TaskLineage { TaskId = cancelled } });
        await RefuseAsync(manager, SpawnError.ReservedName, new SpawnOptions { Name = "self" });
        await manager.CancelAsync(cancelled, Stop).Within();
        await RefuseAsync(manager, SpawnError.ParentCancelled, new SpawnOptions { Lineage = new TaskLineage { TaskId = cancelled } });

        Assert.Equal("bg_1", await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within());
    }

    [Fact]
    public async Task Ids_are_never_used_again_across_hosts_restarts_restores_and_prunes()
    {
        var seen = new HashSet<long>();
        var first = await StartAsync();
        var second = await StartAsync();
        for (var i = 0; i < 5; i++)
        {
            Take(await first.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within());
            Take(await second.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within());
        }

        await first.RestoreAsync("t1", [new TaskSnapshot { TaskId = "bg_40", State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch }], Stop).Within();
        Take("bg_40");
        Take(await second.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within());
        foreach (var task in await first.ListAsync("t1", Stop))
        {
            await first.WaitAsync(task.TaskId, Stop).Within();
        }

        await first.DisposeAsync();
        await second.DisposeAsync();
        await ReopenAsync();
        var clock = new ManualClock(TimeProvider.System.GetUtcNow().AddDays(1));
        var third = await StartAsync(options => options.TimeProvider = clock);
        Assert.True(await third.PruneAsync(TimeSpan.FromMinutes(1), Stop).Within() > 0);
        Take(await third.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within());

        void Take(string id) => Assert.True(seen.Add(Number(id)), $"{id} was given twice.");
    }

    [Fact]
    public async Task Lists_run_by_creation_time_and_then_by_number()
    {
        var clock = new ManualClock();
        var manager = await StartAsync(options => options.TimeProvider = clock);
        var ids = new List<string>();
        for (var i = 0; i < 12; i++)
        {
            ids.Add(await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within());
        }

        clock.Adjust(TimeSpan.FromHours(-1));
        var earlier = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();

        string[] expected = [earlier, .. ids];
        Assert.Equal(expected, (await manager.ListAsync("t1", Stop)).Select(static task => task.TaskId));
        Assert.Equal(expected, await IdsAsync(manager.QueryAsync(new TaskQuery(), Stop)));
        Assert.Equal(expected, await IdsAsync(manager.QueryAsync(new TaskQuery { OwnerThreadId = "t1", States = [TaskState.Running] }, Stop)));
        Assert.Equal(expected, await IdsAsync(manager.ExportAsync(null, Stop)));
        Assert.Equal(expected, await IdsAsync(manager.ExportAsync("t1", Stop)));
    }

    [Fact]
    public async Task Queries_and_exports_return_everything_however_much_there_is()
    {
        var manager = await StartAsync();
        var snapshot = Enumerable.Range(0, 2_500).Select(static i => new TaskSnapshot
        {
            TaskId = TaskIds.Format(i),
            State = TaskState.Completed,
            Type = i % 2 == 0 ? "even" : "odd",
            CreatedAt = DateTimeOffset.UnixEpoch.AddMilliseconds(i / 7),
        });
        Assert.Equal(2_500, (await manager.RestoreAsync("t1", snapshot, Stop).Within()).Added);

        var expected = Enumerable.Range(0, 2_500).Select(static i => TaskIds.Format(i)).ToList();
        Assert.Equal(expected, (await manager.ListAsync("t1", Stop)).Select(static task => task.TaskId));
        Assert.Equal(expected, await IdsAsync(manager.ExportAsync(null, Stop)));
        Assert.Equal(
            expected.Where(static (_, i) => i % 2 == 1), await IdsAsync(manager.QueryAsync(new TaskQuery { Type = "odd" }, Stop)));
        Assert.Empty(await IdsAsync(manager.ExportAsync("t2", Stop)));
    }

    [Fact]
    public async Task Times_are_the_managers_in_utc_to_the_millisecond()
    {
        var clock = new ManualClock(new DateTimeOffset(2026, 5, 1, 8, 0, 0, TimeSpan.FromHours(2)).AddTicks(7_654));
        var manager = await StartAsync(options => options.TimeProvider = clock);
        var finish = new Signal();
        var id = await manager.SpawnAsync("t1", Bodies.Only(finish), cancellationToken: Stop).Within();
        clock.Adjust(TimeSpan.FromSeconds(1));
        await manager.CancelAsync(id, Stop).Within();
        clock.Adjust(TimeSpan.FromSeconds(1));
        finish.Set();
        var ended = await manager.WaitAsync(id, Stop).Within();

        var created = new DateTimeOffset(2026, 5, 1, 6, 0, 0, TimeSpan.Zero);
        Assert.Equal((created, created.AddSeconds(1), created.AddSeconds(2)), (ended.CreatedAt, ended.CancelRequestedAt, ended.CompletedAt));
        Assert.Equal(TimeSpan.Zero, ended.CreatedAt.Offset);
    }

    private static long Number(string id)
    {
        Assert.True(TaskIds.TryParse(id, out var number), $"{id} is no id that a store gives.");
        return number;
    }

    private static async Task<List<string>> IdsAsync(IAsyncEnumerable<TaskSnapshot> tasks)
    {
        var ids = new List<string>();
        await foreach (var task in tasks)
        {
            ids.Add(task.TaskId);
        }

        return ids;
    }

    private static async Task RefuseAsync(BackgroundTaskManager manager, SpawnError error, SpawnOptions options)
    {
        var refused = await Assert.ThrowsAsync<SpawnException>(() => manager.SpawnAsync("t1", Bodies.Done, options, Stop).Within());
        Assert.Equal(error, refused.Error);
    }
}
