namespace Coppice.Tests.Storage;

/// <summary>A list of live tasks in memory costs what is live, however much has ended.</summary>
public sealed class LiveListsTests : IAsyncDisposable
{
    private const int Ended = 20_000;

    private static readonly TaskState[] Live = [TaskState.Pending, TaskState.Running, TaskState.InputRequired];

    private readonly InMemoryTaskStore _store = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Theory]
    [InlineData("t1")]
    [InlineData(null)]
    public async Task Ended_tasks_are_not_walked(string? thread)
    {
        var live = new List<string>();
        var fence = await FillAsync(live);
        var query = new TaskQuery { OwnerThreadId = thread, States = Live };
        var (few, found) = await CostAsync(query);
        Assert.Equal(live, found);

        await CommitAsync(fence, new RestoreTasks("t1", [.. Enumerable.Range(0, Ended).Select(static i => Snapshot($"bg_{1_000_000 + i}"))]));
        (var many, found) = await CostAsync(query);

        Assert.Equal(live, found);
        Assert.True(many < few + 1_024, $"The list took {few} bytes, and {many} beside {Ended} ended tasks.");
        Assert.True((await CostAsync(new TaskQuery { OwnerThreadId = thread })).Bytes > Ended * 8L, "The measure does not see what is walked.");
    }

    private static TaskSnapshot Snapshot(string id) =>
        new() { TaskId = id, State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch, CompletedAt = DateTimeOffset.UnixEpoch };

    private async Task<HostFence> FillAsync(List<string> live)
    {
        var joined = (HostJoined)(await CommitAsync(HostFence.None, new JoinHost("host"))).Answers[0];
        for (var i = 0; i < 10; i++)
        {
            var added = (TaskAdded)(await CommitAsync(joined.Fence, new AddTask { OwnerThreadId = "t1", Type = TaskTypes.Task })).Answers[0];
            live.Add(added.TaskId);
        }

        return joined.Fence;
    }

    private async Task<CommitResult> CommitAsync(HostFence fence, Mutation mutation) =>
        await _store.CommitAsync(
            new MutationBatch(new BatchId(fence.Epoch, Random.Shared.NextInt64()), fence, DateTimeOffset.UnixEpoch, [mutation]), Stop);

    /// <summary>What a list allocates; the store answers on the calling thread.</summary>
    private async Task<(long Bytes, IReadOnlyList<string> Found)> CostAsync(TaskQuery query)
    {
        await _store.ListAsync(query, null, 100, Stop);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var list = await _store.ListAsync(query, null, 100, Stop);
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        return (bytes, [.. list.Select(static task => task.TaskId)]);
    }
}
