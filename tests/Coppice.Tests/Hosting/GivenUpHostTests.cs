using Coppice.StoreContract;
using Coppice.Testing;

namespace Coppice.Tests.Hosting;

/// <summary>A host that was given up while the answer to one of its spawns was lost.</summary>
public sealed class GivenUpHostTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Law09_A_body_whose_spawn_is_found_only_then_is_signalled(bool hasJoinedAnew)
    {
        await using var inner = new InMemoryTaskStore();
        var faulty = new FaultyStore(inner);
        var clock = new ManualClock();
        await using var manager = await BackgroundTaskManager.StartAsync(
            faulty, new() { TimeProvider = clock, HostTimeout = TimeSpan.FromHours(1), ShutdownGracePeriod = TimeSpan.FromSeconds(5) }, Stop);
        faulty.Fail<AddTask>(FaultMoment.AfterCommitUnseen);
        faulty.FailLookups(1);
        var signalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var retry = clock.NextArmedAsync();
        var spawning = manager.SpawnAsync(
            "t1",
            async context =>
            {
                await context.WhenCancelledAsync();
                signalled.SetResult();
                return TaskOutcome.Cancelled;
            },
            null,
            Stop).AsTask();
        await retry.WaitAsync(Stop);
        await GiveUpAsync(inner, manager.Core.Fence);
        if (hasJoinedAnew)
        {
            await (await manager.OpenInboxAsync("t2", Stop)).DisposeAsync();
        }

        clock.Advance(TimeSpan.FromSeconds(10));
        var id = await spawning.WaitAsync(Stop);

        await signalled.Task.WaitAsync(TimeSpan.FromSeconds(20), Stop);
        Assert.Equal(Orphans.Error, (await manager.GetAsync(id, Stop))!.Error);
    }

    private static async Task GiveUpAsync(InMemoryTaskStore store, HostFence fence)
    {
        var time = DateTimeOffset.UnixEpoch;
        var joined = await store.CommitAsync(new MutationBatch(new BatchId(0, 77), HostFence.None, time, [new JoinHost("other")]), Stop);
        var other = ((HostJoined)joined.Answers[0]).Fence;
        await store.CommitAsync(new MutationBatch(new BatchId(other.Epoch, 1), other, time, [new SettleHost(fence)]), Stop);
    }
}
