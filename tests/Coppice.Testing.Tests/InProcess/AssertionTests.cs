namespace Coppice.Testing.Tests.InProcess;

public sealed class AssertionTests : IAsyncLifetime
{
    private TestManager _test = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private BackgroundTaskManager Manager => _test.Manager;

    public async ValueTask InitializeAsync() => _test = await TestManager.StartAsync(cancellationToken: Stop);

    public ValueTask DisposeAsync() => _test.DisposeAsync();

    [Fact]
    public async Task The_one_task_that_is_as_described_is_returned()
    {
        await SpawnAsync("chat-1", "other", "task");
        var id = await SpawnAsync("chat-1", "crawler", "crawl");
        await SpawnAsync("chat-2", "crawler", "crawl");

        Assert.Equal(id, (await Manager.AssertSpawnedAsync("chat-1", name: "crawler", cancellationToken: Stop)).TaskId);
        Assert.Equal(id, (await Manager.AssertSpawnedAsync("chat-1", type: "crawl", cancellationToken: Stop)).TaskId);
        Assert.Equal(id, (await Manager.AssertSpawnedAsync(null, where: task => task.TaskId == id, cancellationToken: Stop)).TaskId);
        await Manager.AssertNotSpawnedAsync("chat-2", name: "other", cancellationToken: Stop);
        await Manager.AssertNotSpawnedAsync("chat-3", cancellationToken: Stop);
    }

    [Fact]
    public async Task A_task_that_is_missing_fails_with_those_that_are_there()
    {
        await SpawnAsync("chat-1", "crawler", "crawl");

        var failure = await FailureAsync(() => Manager.AssertSpawnedAsync("chat-1", name: "reader", cancellationToken: Stop));

        Assert.Equal(
            "Nothing was spawned that is of thread 'chat-1', named 'reader'. There is:\n  bg_0 running, thread 'chat-1', type 'crawl', name 'crawler'",
            failure.Message);
        failure = await FailureAsync(() => Manager.AssertSpawnedAsync("chat-2", cancellationToken: Stop));
        Assert.Equal("Nothing was spawned that is of thread 'chat-2'. There is:\n  no task at all", failure.Message);
    }

    [Fact]
    public async Task Two_where_one_was_expected_fail_with_both()
    {
        await SpawnAsync("chat-1", "a", "crawl");
        await SpawnAsync("chat-1", "b", "crawl");

        var failure = await FailureAsync(() => Manager.AssertSpawnedAsync("chat-1", type: "crawl", cancellationToken: Stop));

        Assert.StartsWith("2 tasks were spawned that are of thread 'chat-1', of type 'crawl', and not one:\n  bg_0 ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("\n  bg_1 ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_that_should_not_be_there_fails_with_it()
    {
        await SpawnAsync("chat-1", "crawler", "crawl");

        var failure = await FailureAsync(() => Manager.AssertNotSpawnedAsync(null, cancellationToken: Stop));

        Assert.StartsWith("A task was spawned that is of any kind:\n  bg_0 running", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_end_is_asserted_once_the_task_has_ended_and_the_other_ends_fail()
    {
        var completes = new GatedBody();
        var fails = new GatedBody();
        var throws = new GatedBody();
        var completed = await Manager.SpawnAsync("t", completes.RunAsync, cancellationToken: Stop);
        var failed = await Manager.SpawnAsync("t", fails.RunAsync, cancellationToken: Stop);
        var thrown = await Manager.SpawnAsync("t", throws.RunAsync, cancellationToken: Stop);
        var cancelled = await Manager.SpawnAsync("t", new GatedBody().RunAsync, cancellationToken: Stop);

        var assertion = Manager.AssertCompletedAsync(completed, cancellationToken: Stop);
        Assert.False(assertion.IsCompleted);
        completes.Complete(TaskOutcome.Success(3));
        fails.Fail("the page is gone");
        throws.Throw(new TimeoutException("no answer"));
        await Manager.CancelAsync(cancelled, Stop);

        Assert.Equal(3, (await assertion).Result!.Value.GetInt32());
        await Manager.AssertFailedAsync(failed, "page is", cancellationToken: Stop);
        await Manager.AssertFailedAsync(thrown, "no answer", cancellationToken: Stop);
        Assert.Equal("user", (await Manager.AssertCancelledAsync(cancelled, cancellationToken: Stop)).CancelledBy);
        Assert.Equal(
            "The task is cancelled and not completed:\n  bg_3 cancelled, thread 't', cancel requested by 'user'",
            (await FailureAsync(() => Manager.AssertCompletedAsync(cancelled, cancellationToken: Stop))).Message);
        Assert.Equal(
            "The task is completed and not failed:\n  bg_0 completed, thread 't', result '3'",
            (await FailureAsync(() => Manager.AssertFailedAsync(completed, cancellationToken: Stop))).Message);
        Assert.Equal(
            "The error of the task does not contain 'boom':\n  bg_1 failed, thread 't', error 'the page is gone'",
            (await FailureAsync(() => Manager.AssertFailedAsync(failed, "boom", cancellationToken: Stop))).Message);
    }

    [Fact]
    public async Task A_task_that_does_not_end_or_is_unknown_fails_with_what_is_there()
    {
        var id = await SpawnAsync("t", "slow", "task");

        Assert.Equal(
            "The task 'bg_0' did not end within 0.02 s. Still live:\n  bg_0 running, thread 't', name 'slow'",
            (await FailureAsync(() => Manager.AssertCancelledAsync(id, TimeSpan.FromMilliseconds(20), Stop))).Message);
        Assert.Equal(
            "There is no task 'bg_9'. There is:\n  bg_0 running, thread 't', name 'slow'",
            (await FailureAsync(() => Manager.AssertCompletedAsync("bg_9", cancellationToken: Stop))).Message);
    }

    [Fact]
    public async Task What_a_task_says_stays_on_its_line_and_short()
    {
        var id = await Manager.SpawnAsync("t", _ => Task.FromResult(TaskOutcome.Failure("a\nb\u202ec\u001b[31m" + new string('x', 5000))), cancellationToken: Stop);

        var failure = await FailureAsync(() => Manager.AssertCompletedAsync(id, cancellationToken: Stop));

        var lines = failure.Message.Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("  bg_0 failed, thread 't', error 'a\\u{a}b\\u{202e}c\\u{1b}[31mxxx", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("… (5010 characters)'", lines[1], StringComparison.Ordinal);
        Assert.InRange(lines[1].Length, 200, 300);
    }

    [Fact]
    public async Task A_long_list_says_how_many_more_there_are()
    {
        for (var i = 0; i < 60; i++)
        {
            await Manager.SpawnAsync("t", _ => Task.CompletedTask, cancellationToken: Stop);
        }

        var failure = await FailureAsync(() => Manager.AssertSpawnedAsync("t", name: "none", cancellationToken: Stop));

        Assert.EndsWith("\n  … and 10 more", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mail_is_what_a_task_emitted_and_then_its_one_end_and_it_comes_again()
    {
        var body = new GatedBody();
        var id = await Manager.SpawnAsync("t", body.RunAsync, cancellationToken: Stop);
        var task = await body.WaitUntilStartedAsync(cancellationToken: Stop);
        Assert.True(task.Emit("progress", 50));
        body.Complete(TaskOutcome.Success("done"));

        var first = await Manager.AssertMailAsync(id, cancellationToken: Stop);
        var again = await Manager.AssertMailAsync(id, cancellationToken: Stop);

        Assert.Equal(50, Assert.IsType<CustomTaskEvent>(first[0]).Payload.GetInt32());
        Assert.Equal("done", Assert.IsType<TaskCompleted>(first[1]).Result!.Value.GetString());
        Assert.Equal(first, again);
    }

    [Fact]
    public async Task Mail_that_was_acknowledged_is_not_there_any_more()
    {
        var id = await Manager.SpawnAsync("t", _ => Task.CompletedTask, cancellationToken: Stop);
        await Manager.WaitAsync(id, Stop);
        await using (var inbox = await Manager.OpenInboxAsync("t", Stop))
        {
            await inbox.AckAsync(1, Stop);
        }

        var failure = await FailureAsync(() => Manager.AssertMailAsync(id, cancellationToken: Stop));

        Assert.EndsWith("The mail that nobody has acknowledged:\n  nothing", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Patience_is_not_negative() =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Manager.WaitUntilIdleAsync(within: TimeSpan.FromTicks(-1), cancellationToken: Stop));

    private static Task<TaskAssertionException> FailureAsync(Func<Task> assertion) => Assert.ThrowsAsync<TaskAssertionException>(assertion);

    private async Task<string> SpawnAsync(string thread, string name, string type) =>
        await Manager.SpawnAsync(thread, new GatedBody().RunAsync, new() { Name = name, Type = type }, Stop);
}
