using Coppice.StoreContract;

namespace Coppice.Tests.Storage;

/// <summary>What can be seen of a claim in memory while it lands. Elsewhere only what the listeners hear shows it.</summary>
public sealed class ClaimVisibilityTests : IAsyncDisposable
{
    private readonly InMemoryTaskStore _store = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_claimed_task_is_not_seen_running_before_the_claim_has_landed()
    {
        var host = await StoreHost.JoinAsync(_store);
        var id = await host.AddWorkAsync();
        Task<TaskSnapshot?>? seen = null;

        await _store.CommitAsync(host.Batch(_ => seen = _store.GetAsync(id, Stop).AsTask(), new ClaimWork([new KindClaim("k")], 1)), Stop);

        Assert.Equal(TaskState.Pending, (await seen!)!.State);
        Assert.Equal(TaskState.Running, (await _store.GetAsync(id, Stop))!.State);
    }

    [Theory]
    [InlineData(CancelScope.Task)]
    [InlineData(CancelScope.Tree)]
    [InlineData(CancelScope.Thread)]
    public async Task A_cancel_that_comes_while_a_claim_lands_waits_for_it_and_is_heard_by_its_host(CancelScope scope)
    {
        var host = await StoreHost.JoinAsync(_store);
        var id = await host.AddWorkAsync();

        // While somebody wants changes all commits take turns, and nothing could come between.
        var listener = new RecordingListener { WantsChanges = false };
        using var subscription = _store.Subscribe(listener);
        var batch = host.Batch(new RequestCancel(scope, scope == CancelScope.Thread ? "t1" : id));
        var cancel = new Thread(() => _ = _store.CommitAsync(batch, CancellationToken.None).AsTask());

        await _store.CommitAsync(
            host.Batch(
                _ =>
                {
                    cancel.Start();
                    Assert.True(SpinWait.SpinUntil(() => cancel.ThreadState is ThreadState.WaitSleepJoin or ThreadState.Stopped, Wait.Guard));
                },
                new ClaimWork([new KindClaim("k")], 1)),
            Stop);

        Assert.True(cancel.Join(Wait.Guard));
        Assert.Equal([id], Assert.IsType<CancelReached>(batch.Result!.Answers[0]).TaskIds);
        Assert.Equal(TaskState.Running, (await _store.GetAsync(id, Stop))!.State);
        Assert.Contains(new RecordingListener.Heard("CancelRequested", id, host.Fence.Epoch), listener.Snapshot());
    }
}
