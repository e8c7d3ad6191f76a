using Coppice.StoreContract;
using Coppice.Testing;

namespace Coppice.Tests.Diagnostics;

/// <summary>Tasks of registered kinds are counted and logged as spawned when they are: each once.</summary>
public sealed class SpawnCountTests : IAsyncDisposable
{
    private static readonly TaskKind<string, string> Kind = new("work");

    private readonly InMemoryTaskStore _inner = new();
    private readonly WatchedLog _log = new();
    private readonly WatchedMeters _meters = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        _log.Dispose();
        _meters.Dispose();
    }

    [Fact]
    public async Task A_key_that_is_known_spawns_nothing()
    {
        await using var manager = await StartAsync(_inner);
        var options = new SpawnOptions { IdempotencyKey = "k" };

        var first = await manager.SpawnAsync(Kind, "t1", "x", options, Stop);
        var second = await manager.SpawnAsync(Kind, "t1", "x", options, Stop);

        Assert.Equal((first.Id, true), (second.Id, second.WasKnown));
        AssertSpawned(first.Id);
    }

    [Fact]
    public async Task A_task_that_landed_while_its_failure_was_on_the_way_was_spawned()
    {
        var (store, script) = ScriptedStore.Create();
        await using var manager = await StartAsync(store);
        var fails = true;
        script.OnCommit = mutation => mutation is AddTask && fails ? throw Away() : null;
        script.OnFindCommit = batch =>
        {
            fails = false;
            store.CommitAsync(batch, Stop).AsTask().GetAwaiter().GetResult();
            throw Away();
        };

        var task = await manager.SpawnAsync(Kind, "t1", "x", cancellationToken: Stop).AsTask().Within();

        AssertSpawned(task.Id);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("k")]
    public async Task A_task_that_is_found_after_its_spawner_was_told_of_a_failure_was_spawned(string? key)
    {
        var store = new FaultyStore(_inner);
        var clock = new ManualClock();
        await using var manager = await StartAsync(store, clock);
        store.Fail<AddTask>(FaultMoment.AfterCommitUnseen);
        store.FailLookups(6);

        var spawn = manager.SpawnAsync(Kind, "t1", "x", new SpawnOptions { IdempotencyKey = key }, Stop).AsTask();
        await clock.RunUntilAsync(store, ((Task)spawn).ContinueWith(static _ => { }, Stop, TaskContinuationOptions.None, TaskScheduler.Default));
        await Assert.ThrowsAsync<TaskStoreException>(() => spawn);
        await clock.RunUntilAsync(store, _log.UntilAsync(2001));

        AssertSpawned(Assert.Single(await manager.ListAsync("t1", Stop)).TaskId);
    }

    [Fact]
    public async Task A_task_that_is_refused_was_not_spawned()
    {
        await using var manager = await StartAsync(_inner);
        var first = await manager.SpawnAsync(Kind, "t1", "x", new SpawnOptions { Name = "one" }, Stop);

        await Assert.ThrowsAsync<SpawnException>(() => manager.SpawnAsync(Kind, "t1", "x", new SpawnOptions { Name = "one" }, Stop).AsTask());

        AssertSpawned(first.Id);
    }

    private static TaskStoreException Away() => new("away", isTransient: false);

    private async Task<BackgroundTaskManager> StartAsync(ITaskStore store, TimeProvider? clock = null) => await BackgroundTaskManager.StartAsync(
        store, new() { LoggerFactory = _log, MeterFactory = _meters, TimeProvider = clock ?? TimeProvider.System }, Stop);

    private void AssertSpawned(params string[] taskIds)
    {
        Assert.Equal(taskIds, _log.Of(2001).Select(static message => message.Fields["TaskId"]));
        Assert.Equal(taskIds.Length, _meters.Counted("coppice.tasks.spawned", ""));
    }
}
