using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>Law 7: cancels against spawns, under real contention.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law07InterleavingsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_child_spawned_while_its_parent_is_cancelled_is_refused_or_signalled()
    {
        var manager = await StartAsync();
        var refused = 0;
        var reached = 0;
        for (var round = 0; round < 200; round++)
        {
            var parent = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
            var spawns = Enumerable.Range(0, 3).Select(i => Task.Run(() => TrySpawnAsync(manager, $"t{i}", parent), Stop)).ToList();
            var count = await Task.Run(async () => await manager.CancelTreeAsync(parent, Stop), Stop).Within();
            var children = (await spawns.AllWithin()).Where(static id => id is not null).ToList();
            refused += 3 - children.Count;
            reached += children.Count;

            // A parked child ends only when its token is signalled.
            foreach (var child in children)
            {
                Assert.Equal("tree:" + parent, (await manager.WaitAsync(child!, Stop).Within()).CancelledBy);
            }

            Assert.Equal(children.Count + 1, count);
            await manager.WaitAsync(parent, Stop).Within();
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{refused} refused, {reached} signalled");
        Assert.False(await manager.HasRunningAsync("t1", Stop));
    }

    [Fact]
    public async Task A_spawn_and_a_cancel_of_its_thread_in_the_same_instant_lose_nothing()
    {
        var manager = await StartAsync();
        var canceller = await StartAsync();
        for (var round = 0; round < 150; round++)
        {
            var thread = $"t{round}";
            var spawn = Task.Run(async () => await manager.SpawnAsync(thread, Bodies.Park, cancellationToken: Stop), Stop);
            var count = await Task.Run(async () => await (round % 2 == 0 ? manager : canceller).CancelThreadAsync(thread, Stop), Stop).Within();
            var id = await spawn.Within();

            if (count == 0)
            {
                Assert.Null((await manager.GetAsync(id, Stop))!.CancelRequestedAt);
                Assert.True(await manager.CancelAsync(id, Stop).Within());
            }

            Assert.Equal(count == 0 ? "user" : "thread", (await manager.WaitAsync(id, Stop).Within()).CancelledBy);
        }
    }

    [Theory]
    [InlineData("tree")]
    [InlineData("thread")]
    [InlineData("run")]
    public async Task Nothing_live_escapes_a_cancel_while_children_spawn_on_several_levels_and_threads(string scope)
    {
        var managers = new[] { await StartAsync(), await StartAsync() };
        var total = 0;
        for (var round = 0; round < 12; round++)
        {
            var spawned = new ConcurrentBag<string>();
            var enough = new Countdown(40);
            var body = Spawning(managers, spawned, enough, depth: 4);
            var root = await managers[0].SpawnAsync(
                $"root{round}", body, new SpawnOptions { Lineage = new TaskLineage { RunId = $"r{round}" } }, Stop).Within();
            spawned.Add(root);
            await enough.WaitAsync();

            var reached = scope switch
            {
                "tree" => await managers[round % 2].CancelTreeAsync(root, Stop).Within(),
                "thread" => await managers[round % 2].CancelThreadAsync($"root{round}", Stop).Within(),
                _ => await managers[round % 2].CancelRunAsync($"r{round}", Stop).Within(),
            };

            // Every body stops spawning only when it is refused, and ends only when its own token is signalled.
            await managers[0].WaitAsync(root, Stop).Within();
            var waited = new HashSet<string>();
            while (spawned.Except(waited).FirstOrDefault() is { } id)
            {
                Assert.NotNull((await managers[0].WaitAsync(id, Stop).Within()).CancelRequestedAt);
                waited.Add(id);
            }

            Assert.Equal(waited.Count, reached);
            total += reached;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{total} tasks in 12 rounds");
        await foreach (var task in managers[0].QueryAsync(new TaskQuery(), Stop))
        {
            Assert.True(task.State.IsTerminal(), $"{task.TaskId} is still live.");
        }
    }

    [Fact]
    public async Task Cancels_of_many_kinds_at_once_signal_every_task_once_and_agree_on_the_first()
    {
        var manager = await StartAsync();
        for (var round = 0; round < 40; round++)
        {
            var callbacks = new Countdown(1);
            var registered = new Signal();
            var run = $"r{round}";
            var id = await manager.SpawnAsync("t1", async context =>
            {
                context.CancellationToken.Register(callbacks.Add);
                registered.Set();
                await context.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            }, new SpawnOptions { Lineage = new TaskLineage { RunId = run } }, Stop).Within();
            await registered.WaitAsync();

            await new[]
            {
                Task.Run(async () => await manager.CancelAsync(id, Stop) ? 1 : 0, Stop),
                Task.Run(async () => await manager.CancelTreeAsync(id, Stop), Stop),
                Task.Run(async () => await manager.CancelThreadAsync("t1", Stop), Stop),
                Task.Run(async () => await manager.CancelRunAsync(run, Stop), Stop),
            }.AllWithin();

            var ended = await manager.WaitAsync(id, Stop).Within();
            Assert.Contains(ended.CancelledBy, new[] { "user", "tree:" + id, "thread", "run:" + run });
            await callbacks.WaitAsync();
            Assert.Equal(1, callbacks.Count);
        }
    }

    private static Func<TaskContext, Task<TaskOutcome>> Spawning(
        BackgroundTaskManager[] managers, ConcurrentBag<string> spawned, Countdown enough, int depth) => async context =>
    {
        var spawners = depth == 0 ? 0 : 2;
        await Task.WhenAll(Enumerable.Range(0, spawners).Select(spawner => Task.Run(async () =>
        {
            for (var i = 0; i < 4; i++)
            {
                try
                {
                    spawned.Add(await managers[spawner].SpawnAsync(
                        $"t{spawner}", Spawning(managers, spawned, enough, depth - 1), cancellationToken: Stop));
                    enough.Add();
                }
                catch (SpawnException refused)
                {
                    Assert.Equal(SpawnError.ParentCancelled, refused.Error);
                    return;
                }
            }
        }, Stop)));
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    };

    private static async Task<string?> TrySpawnAsync(BackgroundTaskManager manager, string thread, string parent)
    {
        try
        {
            return await manager.SpawnAsync(
                thread, Bodies.Park, new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } }, Stop);
        }
        catch (SpawnException refused)
        {
            Assert.Equal(SpawnError.ParentCancelled, refused.Error);
            return null;
        }
    }
}
