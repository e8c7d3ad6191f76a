using Coppice.StoreContract;

namespace Coppice.Tests.Work;

/// <summary>How often a host looks for work.</summary>
public sealed class WorkClaimerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_end_of_a_body_that_left_nothing_waiting_is_no_reason_to_look()
    {
        const int Tasks = 50;
        var (store, script) = ScriptedStore.Create();
        var looks = 0;
        script.OnCommit = mutation =>
        {
            looks += mutation is ClaimWork ? 1 : 0;
            return null;
        };
        var kind = new TaskKind<string, string>("work");
        var options = new BackgroundTaskOptions();
        options.Tasks.Add(kind, static (input, _) => Task.FromResult(input));
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);

        for (var i = 0; i < Tasks; i++)
        {
            var task = await manager.SpawnAsync(kind, "t1", $"{i}", cancellationToken: Stop).AsTask().Within();
            await task.ResultAsync(Stop).Within();
        }

        // One for the start, one for each spawn.
        Assert.InRange(looks, 1, 1 + Tasks);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task What_is_left_for_lack_of_room_is_taken_when_a_body_has_ended_or_waits(int room)
    {
        const int Tasks = 40;
        var kind = new TaskKind<string, string>("work");
        var options = new BackgroundTaskOptions { MaxConcurrentAttempts = room };
        options.Tasks.Add(kind, async (input, context) =>
        {
            await Task.Yield();
            using var parked = input.EndsWith('5') ? context.Park() : null;
            await Task.Yield();
            return input;
        });
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);

        var tasks = await Task.WhenAll(Enumerable.Range(0, Tasks).Select(i => manager.SpawnAsync(kind, $"t{i % 4}", $"{i}", cancellationToken: Stop).AsTask()));

        await Task.WhenAll(tasks.Select(task => task.ResultAsync(Stop))).Within();
    }
}
