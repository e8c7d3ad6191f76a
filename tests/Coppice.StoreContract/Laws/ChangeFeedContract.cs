namespace Coppice.StoreContract;

/// <summary>Watching: what the change feed tells whoever watches a manager.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ChangeFeedContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_watch_tells_everything_from_the_first_commit_after_its_first_step_in_order()
    {
        var manager = await StartAsync();
        await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        await using var changes = manager.WatchAsync(null, Stop).GetAsyncEnumerator(Stop);
        var next = changes.MoveNextAsync();

        var finish = new Signal();
        var id = await manager.SpawnAsync("t1", async context =>
        {
            context.Emit("progress", 1);
            await finish.Task;
            return TaskOutcome.Success("done");
        }, new SpawnOptions { Name = "worker" }, Stop).Within();
        var told = new List<TaskChange>();
        while (told.Count == 0 || told[^1].Kind != TaskChangeKind.Ended)
        {
            Assert.True(await next.AsTask().Within());
            told.Add(changes.Current);
            switch (told[^1].Kind)
            {
                case TaskChangeKind.Emitted: await manager.CancelAsync(id, Stop).Within(); break;
                case TaskChangeKind.CancelRequested: finish.Set(); break;
            }

            next = changes.MoveNextAsync();
        }

        Assert.Equal([TaskChangeKind.Spawned, TaskChangeKind.Emitted, TaskChangeKind.CancelRequested, TaskChangeKind.Ended], told.Select(static change => change.Kind));
        Assert.All(told, change => Assert.Equal(id, change.Task.TaskId));
        Assert.Equal(told.Select(static change => change.Revision).Order(), told.Select(static change => change.Revision));
        Assert.Equal(Mailbag.Progress(id, 1), told[1].Event);
        Assert.Equal(await manager.GetAsync(id, Stop), told[^1].Task);
        await GiveUpAsync(manager, next);
    }

    [Fact]
    public async Task A_watch_tells_only_of_what_was_asked_for()
    {
        var manager = await StartAsync();
        await using var ended = manager.WatchAsync(new TaskQuery { OwnerThreadId = "t1", States = [TaskState.Failed] }, Stop).GetAsyncEnumerator(Stop);
        var next = ended.MoveNextAsync();
        await manager.SpawnAsync("t2", static _ => Bodies.As(TaskState.Failed), cancellationToken: Stop).Within();
        await manager.SpawnAsync("t1", static _ => Bodies.As(TaskState.Completed), cancellationToken: Stop).Within();
        var id = await manager.SpawnAsync("t1", static _ => Bodies.As(TaskState.Failed), cancellationToken: Stop).Within();

        Assert.True(await next.AsTask().Within());

        Assert.Equal((TaskChangeKind.Ended, id), (ended.Current.Kind, ended.Current.Task.TaskId));
    }

    [Fact]
    public async Task A_watch_hears_what_other_hosts_commit()
    {
        var watching = await StartAsync();
        var other = await StartAsync();
        await using var changes = watching.WatchAsync(null, Stop).GetAsyncEnumerator(Stop);
        var next = changes.MoveNextAsync();

        var id = await other.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();

        Assert.True(await next.AsTask().Within());
        Assert.Equal((TaskChangeKind.Spawned, id), (changes.Current.Kind, changes.Current.Task.TaskId));
    }

    [Fact]
    public async Task Who_begins_to_watch_and_then_reads_misses_no_end()
    {
        var rounds = LongRun.Count(inTests: 300, inLongRun: 20_000);
        var manager = await StartAsync();
        for (var round = 0; round < rounds; round++)
        {
            // Each round begins with nobody watching, while the end is on its way.
            var finish = new Signal();
            var id = await manager.SpawnAsync("t1", Bodies.Only(finish), cancellationToken: Stop).Within();
            finish.Set();
            for (var i = 0; i < round % 8; i++)
            {
                await Task.Yield();
            }

            try
            {
                await manager.UntilAsync(id, static task => task.State.IsTerminal());
            }
            catch (OperationCanceledException) when (!Stop.IsCancellationRequested)
            {
                Assert.Fail($"In round {round} the watcher of {id} read it before its end and was never told of that; it is {(await manager.GetAsync(id, Stop))?.State} now.");
            }
        }
    }

    [Fact]
    public async Task A_watcher_that_falls_too_far_behind_is_told_so_and_holds_up_nobody()
    {
        var manager = await StartAsync(static options => options.MaxWatchBacklog = 10);
        await using var changes = manager.WatchAsync(null, Stop).GetAsyncEnumerator(Stop);
        var next = changes.MoveNextAsync();
        for (var i = 0; i < 20; i++)
        {
            await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        }

        await Assert.ThrowsAsync<WatchOverrunException>(async () =>
        {
            while (await next.AsTask().Within())
            {
                next = changes.MoveNextAsync();
            }
        });
    }

    [Fact]
    public async Task A_watcher_that_keeps_up_is_told_of_many_more_changes_than_may_wait()
    {
        var manager = await StartAsync(static options => options.MaxWatchBacklog = 3);
        await using var changes = manager.WatchAsync(new TaskQuery { OwnerThreadId = "t1" }, Stop).GetAsyncEnumerator(Stop);
        for (var i = 0; i < 10; i++)
        {
            var spawned = changes.MoveNextAsync();
            var id = await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
            Assert.True(await spawned.AsTask().Within());
            Assert.Equal((TaskChangeKind.Spawned, id), (changes.Current.Kind, changes.Current.Task.TaskId));
            Assert.True(await changes.MoveNextAsync().AsTask().Within());
            Assert.Equal((TaskChangeKind.Ended, id), (changes.Current.Kind, changes.Current.Task.TaskId));
        }
    }

    [Fact]
    public async Task Asking_for_a_feed_or_a_list_checks_at_once_and_not_at_its_first_step()
    {
        var manager = await StartAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        Assert.Throws<OperationCanceledException>(() => manager.WatchAsync(null, cancelled.Token));
        Assert.Throws<OperationCanceledException>(() => manager.QueryAsync(new TaskQuery(), cancelled.Token));
        Assert.Throws<OperationCanceledException>(() => manager.ExportAsync(null, cancelled.Token));
        Assert.Throws<ArgumentException>(() => manager.ExportAsync("", Stop));
        await manager.DisposeAsync().AsTask().Within();
        Assert.Throws<ObjectDisposedException>(() => manager.WatchAsync(null, Stop));
        Assert.Throws<ObjectDisposedException>(() => manager.QueryAsync(new TaskQuery(), Stop));
        Assert.Throws<ObjectDisposedException>(() => manager.ExportAsync(null, Stop));
    }

    [Fact]
    public async Task A_watch_that_is_given_up_ends()
    {
        var manager = await StartAsync();
        using var source = new CancellationTokenSource();
        await using var changes = manager.WatchAsync(null, source.Token).GetAsyncEnumerator(source.Token);
        var next = changes.MoveNextAsync().AsTask();
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.Within());
    }

    // The enumerator may only be disposed once its last step is over.
    private static async Task GiveUpAsync(BackgroundTaskManager manager, ValueTask<bool> next)
    {
        await manager.SpawnAsync("t9", Bodies.Done, cancellationToken: Stop).Within();
        await next.AsTask().Within();
    }
}
