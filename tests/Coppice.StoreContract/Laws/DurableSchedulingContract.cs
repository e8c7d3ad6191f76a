namespace Coppice.StoreContract;

/// <summary>When tasks of registered kinds begin, and how many at once.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableSchedulingContract<TStore> : DurableTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_task_begins_after_its_delay_or_at_its_time_and_not_before()
    {
        var kind = Kind();
        var manager = await StartAsync(kinds => kinds.Add(kind, (input, _) => PayAsync(input)));
        var delayed = await manager.SpawnAsync(kind, "t1", "delayed", new SpawnOptions { Delay = TimeSpan.FromHours(1) }, Stop).Within();
        var timed = await manager.SpawnAsync(kind, "t1", "timed", new SpawnOptions { StartAt = Clock.GetUtcNow().AddMinutes(30) }, Stop).Within();
        var past = await manager.SpawnAsync(kind, "t1", "past", new SpawnOptions { StartAt = Clock.GetUtcNow().AddMinutes(-1) }, Stop).Within();

        await past.ResultAsync(Stop).Within();
        Assert.Equal(PendingReason.NotDue, (await manager.GetAsync(delayed.Id, Stop))!.PendingReason);
        Assert.Equal(["past"], Paid);
        await PassAsync(TimeSpan.FromMinutes(30));
        await timed.ResultAsync(Stop).Within();
        Assert.Equal(["past", "timed"], Paid);
        await PassAsync(TimeSpan.FromMinutes(30));
        await delayed.ResultAsync(Stop).Within();
        Assert.Equal(["past", "timed", "delayed"], Paid);
    }

    [Fact]
    public async Task A_higher_priority_goes_first()
    {
        var kind = Kind();
        var spawner = await StartAsync(static _ => { });
        foreach (var priority in new[] { 0, 5, -5, 5, 1 })
        {
            await spawner.SpawnAsync(kind, "t1", $"{priority}", new SpawnOptions { Priority = priority }, Stop).Within();
        }

        var worker = await StartAsync(kinds => kinds.Add(kind, (input, _) => PayAsync(input)), static options => options.MaxConcurrentAttempts = 1);

        await EndOfAllAsync(worker, "t1");
        Assert.Equal(["5", "5", "1", "0", "-5"], Paid);
    }

    [Fact]
    public async Task Threads_take_turns_however_much_one_of_them_has_waiting()
    {
        var kind = Kind();
        var spawner = await StartAsync(static _ => { });
        foreach (var (thread, count) in new[] { ("busy", 20), ("small", 2), ("other", 2) })
        {
            for (var i = 0; i < count; i++)
            {
                await spawner.SpawnAsync(kind, thread, thread, cancellationToken: Stop).Within();
            }
        }

        var worker = await StartAsync(kinds => kinds.Add(kind, (input, _) => PayAsync(input)), static options => options.MaxConcurrentAttempts = 1);

        await EndOfAllAsync(worker, "busy");
        Assert.Equal(["busy", "small", "other", "busy", "small", "other"], Paid.Take(6));
    }

    [Theory]
    [InlineData(null, 1)]
    [InlineData(3, null)]
    [InlineData(4, 2)]
    public async Task No_more_run_at_once_than_the_kind_allows_on_all_hosts_together(int? perKind, int? perThread)
    {
        var kind = new TaskKind<string, string>("work") { MaxConcurrency = perKind, MaxConcurrencyPerThread = perThread };
        var gauge = new Lock();
        var now = new Dictionary<string, int> { ["a"] = 0, ["b"] = 0, ["c"] = 0 };
        var most = 0;
        var mostOfThread = 0;
        async Task<string> Run(string input, DurableTaskContext context)
        {
            lock (gauge)
            {
                now[context.OwnerThreadId]++;
                most = Math.Max(most, now.Values.Sum());
                mostOfThread = Math.Max(mostOfThread, now.Values.Max());
            }

            await Task.Yield();
            lock (gauge)
            {
                now[context.OwnerThreadId]--;
            }

            return input;
        }

        var hosts = new[] { await StartAsync(kinds => kinds.Add(kind, Run)), await StartAsync(kinds => kinds.Add(kind, Run)) };
        var tasks = new List<Task<string>>();
        for (var i = 0; i < 60; i++)
        {
            tasks.Add((await hosts[i % 2].SpawnAsync(kind, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c", $"{i}", cancellationToken: Stop).Within()).ResultAsync(Stop));
        }

        await tasks.AllWithin();
        Assert.InRange(most, 1, Math.Min(perKind ?? int.MaxValue, 3 * (perThread ?? int.MaxValue / 3)));
        Assert.InRange(mostOfThread, 1, perThread ?? perKind!.Value);
    }

    [Fact]
    public async Task A_host_runs_no_more_at_once_than_it_has_room_for()
    {
        var kind = Kind();
        var gate = new Signal();
        var running = 0;
        var three = new Signal();
        var manager = await StartAsync(
            kinds => kinds.Add(kind, async (input, _) =>
            {
                if (Interlocked.Increment(ref running) == 3)
                {
                    three.Set();
                }

                await gate.Task;
                Interlocked.Decrement(ref running);
                return input;
            }),
            static options => options.MaxConcurrentAttempts = 3);
        var tasks = new List<TaskHandle<string>>();
        for (var i = 0; i < 8; i++)
        {
            tasks.Add(await manager.SpawnAsync(kind, "t1", $"{i}", cancellationToken: Stop).Within());
        }

        await three.WaitAsync();
        var states = (await manager.ListAsync("t1", Stop)).CountBy(static task => task.State).ToDictionary();
        Assert.Equal((3, 5), (states[TaskState.Running], states[TaskState.Pending]));
        gate.Set();
        await tasks.Select(task => task.ResultAsync(Stop)).AllWithin();
    }

    [Fact]
    public async Task A_body_that_waits_for_several_at_once_makes_room_for_one()
    {
        var child = Kind("child");
        var parent = Kind("parent");
        var now = 0;
        var most = 0;
        var manager = await StartAsync(
            kinds =>
            {
                kinds.Add(child, async (input, _) =>
                {
                    most = Math.Max(most, Interlocked.Increment(ref now));
                    await Task.Yield();
                    Interlocked.Decrement(ref now);
                    return input;
                });
                kinds.Add(parent, async (_, context) =>
                {
                    var children = new List<Task<string>>();
                    for (var i = 0; i < 5; i++)
                    {
                        children.Add((await context.SpawnAsync($"{i}", child, $"{i}")).ResultAsync(context.CancellationToken));
                    }

                    return string.Concat(await Task.WhenAll(children));
                });
            },
            static options => options.MaxConcurrentAttempts = 1);

        var task = await manager.SpawnAsync(parent, "t1", "", cancellationToken: Stop).Within();

        Assert.Equal("01234", await task.ResultAsync(Stop).Within());
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task The_same_key_is_the_same_task_also_after_it_ended_until_it_is_pruned()
    {
        var kind = Kind();
        var manager = await StartAsync(kinds => kinds.Add(kind, (input, _) => PayAsync(input)));
        var options = new SpawnOptions { IdempotencyKey = "order-1" };
        var first = await manager.SpawnAsync(kind, "t1", "x", options, Stop).Within();
        await first.ResultAsync(Stop).Within();

        var second = await manager.SpawnAsync(kind, "t1", "x", options, Stop).Within();
        var elsewhere = await manager.SpawnAsync(kind, "t2", "y", options, Stop).Within();

        Assert.Equal((first.Id, false, true), (second.Id, first.WasKnown, second.WasKnown));
        Assert.Equal("x", await second.ResultAsync(Stop).Within());
        Assert.NotEqual(first.Id, elsewhere.Id);
        await elsewhere.ResultAsync(Stop).Within();
        Assert.Equal(["x", "y"], Paid);
        var reused = await Assert.ThrowsAsync<SpawnException>(() => manager.SpawnAsync(Kind("other"), "t1", "x", options, Stop).Within());
        Assert.Equal((SpawnError.IdempotencyKeyReused, "idempotency_key_reused"), (reused.Error, reused.Code));

        Clock.Advance(TimeSpan.FromDays(1));
        await manager.PruneAsync(TimeSpan.FromHours(1), Stop);
        Assert.False((await manager.SpawnAsync(kind, "t1", "x", options, Stop).Within()).WasKnown);
    }

    [Fact]
    public async Task Of_many_spawns_with_one_key_at_once_one_adds_the_task()
    {
        var kind = Kind();
        var manager = await StartAsync(kinds => kinds.Add(kind, (input, _) => PayAsync(input)));
        var options = new SpawnOptions { IdempotencyKey = "k" };

        var handles = await Enumerable.Range(0, 50)
            .Select(_ => Task.Run(() => manager.SpawnAsync(kind, "t1", "x", options, Stop).AsTask(), Stop)).AllWithin();

        Assert.Single(handles.Select(static handle => handle.Id).Distinct());
        Assert.Single(handles, static handle => !handle.WasKnown);
        await handles[0].ResultAsync(Stop).Within();
        Assert.Equal(["x"], Paid);
    }

    private static async Task EndOfAllAsync(BackgroundTaskManager manager, string threadId)
    {
        foreach (var task in await manager.ListAsync(threadId, Stop))
        {
            await EndOfAsync(manager, task.TaskId);
        }
    }
}
