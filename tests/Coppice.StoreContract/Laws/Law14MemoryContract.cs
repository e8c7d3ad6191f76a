namespace Coppice.StoreContract;

/// <summary>Law 14, by the scales: what has ended takes no memory, however much there was of it.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
[Collection(AloneCollection.Name)]
public abstract class Law14MemoryContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const int Weighings = 4;
    private const int Callers = 256;
    private const int BytesPerTask = 16;

    // What the runtime's own pools and the pages of a store's indexes may take more or less between two weighings.
    private const long Tolerance = 384 * 1024;

    /// <summary>Tasks of few threads, each with a name, an event and a token that something was registered on; their mail is read and acknowledged.</summary>
    [Fact]
    public Task Memory_does_not_follow_the_number_of_tasks_that_have_ended() => WeighAsync("tasks", static i => $"t{i % 8}", agents: false, inTests: 20_000);

    [Fact]
    public Task Memory_does_not_follow_the_number_of_threads_whose_tasks_have_ended()
    {
        SkipWhereThreadsAreKept();
        return WeighAsync("threads of one task", static i => $"thread-{i}", agents: false, inTests: 8_000);
    }

    [Fact]
    public Task Memory_does_not_follow_the_number_of_agents_that_have_ended()
    {
        SkipWhereThreadsAreKept();
        return WeighAsync("agents", static i => $"t{i % 8}", agents: true, inTests: 8_000);
    }

    private void SkipWhereThreadsAreKept() =>
        Assert.SkipUnless(Fixture.IsDurable, "A store in memory keeps the mailbox of every thread there was; only its tasks can be forgotten.");

    private async Task WeighAsync(string what, Func<int, string> thread, bool agents, int inTests)
    {
        var tasks = LongRun.Count(inTests, inLongRun: 200_000, "COPPICE_TASKS");
        var quarter = tasks / Weighings;
        var clock = new ManualClock();
        var manager = await StartAsync(options => options.TimeProvider = clock);
        var weights = new List<long>();
        await RunAsync(manager, clock, -quarter, quarter, thread, agents);
        for (var weighing = 0; weighing < Weighings; weighing++)
        {
            await RunAsync(manager, clock, weighing * quarter, quarter, thread, agents);
            weights.Add(Weigh());
            LongRun.Progress($"{(weighing + 1) * quarter} of {tasks} {what}: {weights[^1]} bytes");
        }

        var grown = weights[^1] - weights[0];
        var after = (Weighings - 1) * quarter;
        LongRun.Report($"{Store.GetType().Name}: managed memory after each quarter of {tasks} {what}: {string.Join(", ", weights)} bytes; {(double)grown / after:0.0} bytes a task");
        Assert.True(grown <= (BytesPerTask * (long)after) + Tolerance, $"{after} {what} left {grown} bytes: {string.Join(", ", weights)}.");
    }

    private async Task RunAsync(BackgroundTaskManager manager, ManualClock clock, int first, int count, Func<int, string> thread, bool agents)
    {
        var next = first - 1;
        var callers = Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            for (var i = Interlocked.Increment(ref next); i < first + count; i = Interlocked.Increment(ref next))
            {
                await RunOneAsync(manager, i, thread(i), agents);
            }
        }, Stop));
        await Task.WhenAll(callers).WaitAsync(TimeSpan.FromMinutes(10), Stop);

        foreach (var owner in Enumerable.Range(first, count).Select(thread).Distinct())
        {
            await using var inbox = await manager.OpenInboxAsync(owner, Stop);
            while (await inbox.DrainAsync(Stop) is { Count: > 0 } items)
            {
                await inbox.AckAsync(items[^1].Sequence, Stop);
            }
        }

        if (!Fixture.IsDurable)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(count, await manager.PruneAsync(TimeSpan.Zero, Stop));
        }
    }

    private static async Task RunOneAsync(BackgroundTaskManager manager, int number, string thread, bool agent)
    {
        var options = new SpawnOptions { Name = $"n-{number}", Lineage = new TaskLineage { RunId = $"run-{number % 100}" } };
        var id = agent
            ? await manager.SpawnAgentAsync(thread, EndAsync, options, Stop)
            : await manager.SpawnAsync(thread, EndAsync, options, Stop);
        if (number % 3 == 0)
        {
            await manager.CancelAsync(id, Stop);
        }

        await manager.WaitAsync(id, Stop);

        Task<TaskOutcome> EndAsync(TaskContext context)
        {
            context.CancellationToken.Register(static () => { });
            context.Emit("progress", number);
            return Bodies.As((number % 4) switch { 0 => TaskState.Failed, 1 => TaskState.Cancelled, _ => TaskState.Completed });
        }
    }

    private static long Weigh()
    {
        // A finaliser that runs late holds what it finalises until the next collection.
        for (var round = 0; round < 3; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
