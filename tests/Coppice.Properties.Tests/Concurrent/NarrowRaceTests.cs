using Coppice.Properties.Tests.Support;

namespace Coppice.Properties.Tests.Concurrent;

/// <summary>Pairs of calls whose meeting is too narrow to be left to chance: each is tried many times, on threads that start together.</summary>
public sealed class NarrowRaceTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StoreKind.InMemory, 300)]
    [InlineData(StoreKind.Sqlite, 2)]
    public Task A_child_spawned_while_its_parent_is_forgotten_is_still_below_it(StoreKind kind, int rounds) =>
        RaceAsync(kind, rounds, async (manager, clock, meet, _) =>
        {
            var parent = await manager.SpawnAsync("t1", static _ => Task.CompletedTask, cancellationToken: Stop);
            for (var i = 0; i < 400; i++)
            {
                await manager.SpawnAsync("t1", static _ => Task.CompletedTask, cancellationToken: Stop);
            }

            await manager.WaitUntilIdleAsync("t1", cancellationToken: Stop);
            clock.Advance(TimeSpan.FromMilliseconds(1));
            var child = "";

            await meet(
                async () => child = await manager.SpawnAsync("t2", static task => task.WhenCancelledAsync(), Below(parent), Stop),
                async () => await manager.PruneAsync(TimeSpan.Zero, Stop));

            Assert.Equal(1, await manager.CancelTreeAsync(parent, Stop));
            await manager.WaitAsync(child, Stop).WaitAsync(Guard, Stop);
        });

    [Theory]
    [InlineData(StoreKind.InMemory, 4000)]
    [InlineData(StoreKind.Sqlite, 100)]
    public Task A_cancel_reaches_what_hangs_below_a_task_that_is_restored_meanwhile(StoreKind kind, int rounds) =>
        RaceAsync(kind, rounds, async (manager, _, meet, round) =>
        {
            var parent = $"other-{round}";
            var child = await manager.SpawnAsync("t2", static task => task.WhenCancelledAsync(), Below(parent), Stop);
            var reached = 0;

            await meet(
                async () => reached = await manager.CancelTreeAsync(parent, Stop),
                async () => await manager.RestoreAsync("t1", [Ended(parent)], Stop));

            Assert.Equal(1, reached);
            await manager.WaitAsync(child, Stop).WaitAsync(Guard, Stop);
        });

    [Theory]
    [InlineData(StoreKind.InMemory, 4000)]
    [InlineData(StoreKind.Sqlite, 100)]
    public Task A_child_of_a_task_that_is_restored_meanwhile_is_found(StoreKind kind, int rounds) =>
        RaceAsync(kind, rounds, async (manager, _, meet, round) =>
        {
            var parent = $"other-{round}";
            var child = await manager.SpawnAsync("t2", static task => task.WhenCancelledAsync(), Below(parent), Stop);
            string? found = null;

            await meet(
                async () => found = await manager.FindLiveChildAsync(new TaskLineage { TaskId = parent }, child, Stop),
                async () => await manager.RestoreAsync("t1", [Ended(parent)], Stop));

            Assert.Equal(child, found);
            await manager.CancelAsync(child, Stop);
            await manager.WaitAsync(child, Stop).WaitAsync(Guard, Stop);
        });

    private static SpawnOptions Below(string parent) => new() { Lineage = new TaskLineage { TaskId = parent } };

    private static TaskSnapshot Ended(string id) => new()
    {
        TaskId = id, OwnerThreadId = "t1", State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch, CompletedAt = DateTimeOffset.UnixEpoch,
    };

    private static async Task RaceAsync(
        StoreKind kind, int rounds, Func<BackgroundTaskManager, ManualClock, Func<Func<Task>, Func<Task>, Task>, int, Task> round)
    {
        await using var fresh = await FreshStore.OpenAsync(kind);
        await using var test = await TestManager.StartAsync(options => options.HostTimeout = TimeSpan.FromDays(1), fresh.Store, Stop);
        using var pair = new MeetingPair();
        for (var i = 0; i < rounds; i++)
        {
            await round(test.Manager, test.Clock, pair.MeetAsync, i);
        }
    }
}
