namespace Coppice.Testing.Tests.InProcess;

public sealed class WaitUntilIdleTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_store_without_tasks_is_idle()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);

        await test.Manager.WaitUntilIdleAsync(cancellationToken: Stop);
    }

    [Fact]
    public async Task It_waits_for_what_is_live_and_for_what_that_spawns()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var first = new GatedBody();
        var last = new GatedBody();
        await test.Manager.SpawnAsync("b", async task =>
        {
            var outcome = await first.RunAsync(task);
            await task.Manager.SpawnAsync("a", last.RunAsync, cancellationToken: Stop);
            return outcome;
        }, cancellationToken: Stop);

        var idle = test.Manager.WaitUntilIdleAsync(cancellationToken: Stop);
        first.Complete();
        await last.WaitUntilStartedAsync(cancellationToken: Stop);
        await test.Manager.WaitUntilIdleAsync("b", cancellationToken: Stop);
        Assert.False(idle.IsCompleted);
        last.Complete();

        await idle;
        Assert.False(await test.Manager.HasRunningAsync("a", Stop));
    }

    /// <summary>Tasks that each spawn the next on another thread, before and after in the store's order of threads, then end.</summary>
    [Fact]
    public async Task A_chain_that_moves_from_thread_to_thread_is_never_taken_for_idle()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        const int Length = 300;
        Task<TaskOutcome> LinkAsync(TaskContext task, int left) => NextAsync(task, left - 1);
        async Task<TaskOutcome> NextAsync(TaskContext task, int left)
        {
            if (left > 0)
            {
                await task.Manager.SpawnAsync($"t{left % 7}", next => LinkAsync(next, left), new() { Lineage = new() { TaskId = "elsewhere" } }, Stop);
            }

            return TaskOutcome.Success(left);
        }

        await test.Manager.SpawnAsync("t0", task => LinkAsync(task, Length), cancellationToken: Stop);
        await test.Manager.WaitUntilIdleAsync(cancellationToken: Stop);

        Assert.Equal(Length, await test.Manager.ExportAsync(cancellationToken: Stop).CountAsync(Stop));
        Assert.All(await test.Manager.ExportAsync(cancellationToken: Stop).ToListAsync(Stop), task => Assert.Equal(TaskState.Completed, task.State));
    }

    [Fact]
    public async Task Only_the_thread_that_was_asked_for_counts()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        await test.Manager.SpawnAsync("busy", new GatedBody().RunAsync, cancellationToken: Stop);

        await test.Manager.WaitUntilIdleAsync("quiet", cancellationToken: Stop);
        await Assert.ThrowsAsync<TaskAssertionException>(() => test.Manager.WaitUntilIdleAsync("busy", TimeSpan.Zero, Stop));
    }

    [Fact]
    public async Task What_is_still_live_when_patience_ends_is_listed_with_its_thread()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var root = await test.Manager.SpawnAsync("chat-1", new GatedBody().RunAsync, new() { Name = "crawler", Type = "crawl" }, Stop);
        await test.Manager.SpawnAsync("chat-2", new GatedBody().RunAsync, new() { Lineage = new() { TaskId = root } }, Stop);

        async Task Act() => await test.Manager.WaitUntilIdleAsync(within: TimeSpan.FromMilliseconds(50), cancellationToken: Stop);

        var failure = await Assert.ThrowsAsync<TaskAssertionException>(Act);
        Assert.Equal(
            "The store was not idle within 0.05 s. Still live:\n"
            + "  bg_0 running, thread 'chat-1', type 'crawl', name 'crawler'\n"
            + "  bg_1 running, thread 'chat-2', spawned by task 'bg_0'",
            failure.Message);
    }

    [Fact]
    public async Task A_token_of_the_callers_is_no_failed_assertion()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        await test.Manager.SpawnAsync("t", new GatedBody().RunAsync, cancellationToken: Stop);
        using var source = new CancellationTokenSource();

        var idle = test.Manager.WaitUntilIdleAsync(cancellationToken: source.Token);
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => idle);
    }
}
