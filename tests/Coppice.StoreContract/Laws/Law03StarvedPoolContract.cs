namespace Coppice.StoreContract;

/// <summary>Law 3 and law 7 while bodies block every thread of the pool. These tests run alone.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
[Collection(AloneCollection.Name)]
public abstract class Law03StarvedPoolContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    // More than the pool grows to within a test's guard, at a thread or two a second.
    private static int Crowd => ThreadPool.ThreadCount + (2 * Environment.ProcessorCount) + 20;

    [Theory]
    [InlineData("task")]
    [InlineData("tree")]
    [InlineData("thread")]
    [InlineData("run")]
    public async Task A_cancel_reaches_bodies_that_block_the_whole_pool(string scope)
    {
        var manager = await StartAsync();
        var crowd = Crowd;
        var gate = new Signal();
        using var blocked = new SemaphoreSlim(0);
        using var never = new SemaphoreSlim(0);
        using var freed = new CountdownEvent(crowd);
        var ids = new List<string>();
        for (var i = 0; i < crowd; i++)
        {
            var byHandle = i % 2 == 0;
            ids.Add(await manager.SpawnAsync("t1", async context =>
            {
                await gate.Task;
                blocked.Release();
                Block(byHandle ? null : never, context.CancellationToken);
                freed.Signal();
                return TaskOutcome.Cancelled;
            }, new SpawnOptions { Lineage = new TaskLineage { RunId = "r1", TaskId = i > 0 && scope == "tree" ? ids[0] : null } }, Stop).Within());
        }

        var reached = 0;
        var cancelled = await OnThreadOfItsOwnAsync(() =>
        {
            gate.Set();
            for (var i = 0; i < Environment.ProcessorCount; i++)
            {
                Assert.True(blocked.Wait(Wait.Guard), "Too few bodies came to block.");
            }

            reached = scope switch
            {
                "task" => ids.Count(id => Result(manager.CancelAsync(id, CancellationToken.None))),
                "tree" => Result(manager.CancelTreeAsync(ids[0], CancellationToken.None)),
                "thread" => Result(manager.CancelThreadAsync("t1", CancellationToken.None)),
                _ => Result(manager.CancelRunAsync("r1", CancellationToken.None)),
            };
            return freed.Wait(Wait.Guard);
        });

        Assert.True(cancelled, "The cancel did not reach every body.");
        Assert.Equal(crowd, reached);
        await ids.Select(id => manager.WaitAsync(id, Stop)).AllWithin();
    }

    [Fact]
    public async Task Blocking_bodies_all_start_at_once_and_end_when_they_are_told()
    {
        var manager = await StartAsync();
        var crowd = Crowd;
        using var met = new CountdownEvent(crowd);
        var ids = new List<string>();
        for (var i = 0; i < crowd; i++)
        {
            ids.Add(await manager.SpawnAsync("t1", _ =>
            {
                met.Signal();
                return Task.FromResult(met.Wait(Wait.Guard) ? TaskOutcome.Success("met") : TaskOutcome.Failure("alone"));
            }, new SpawnOptions { Blocking = true }, Stop).Within());
        }

        var ends = await ids.Select(id => manager.WaitAsync(id, Stop)).AllWithin();
        Assert.All(ends, static end => Assert.Equal(TaskState.Completed, end.State));
    }

    [Fact]
    public async Task A_shutdown_signals_bodies_that_block_the_whole_pool()
    {
        var manager = await StartAsync();
        var crowd = Crowd;
        var gate = new Signal();
        using var blocked = new SemaphoreSlim(0);
        using var freed = new CountdownEvent(crowd);
        for (var i = 0; i < crowd; i++)
        {
            await manager.SpawnAsync("t1", async context =>
            {
                await gate.Task;
                blocked.Release();
                Block(null, context.CancellationToken);
                freed.Signal();
                return TaskOutcome.Cancelled;
            }, cancellationToken: Stop).Within();
        }

        var signalled = await OnThreadOfItsOwnAsync(() =>
        {
            gate.Set();
            for (var i = 0; i < Environment.ProcessorCount; i++)
            {
                Assert.True(blocked.Wait(Wait.Guard), "Too few bodies came to block.");
            }

            _ = manager.DisposeAsync().AsTask();
            return freed.Wait(Wait.Guard);
        });

        Assert.True(signalled, "The shutdown did not reach every body.");
        await manager.DisposeAsync().Within();
        Assert.All(await ListAsync(), static task => Assert.Equal((TaskState.Cancelled, null), (task.State, task.CancelRequestedAt)));
    }

    private static void Block(SemaphoreSlim? semaphore, CancellationToken token)
    {
        if (semaphore is null)
        {
            token.WaitHandle.WaitOne(Wait.Guard);
            return;
        }

        try
        {
            semaphore.Wait(Wait.Guard, token);
        }
        catch (OperationCanceledException)
        {
            // It is what the body waits for.
        }
    }

    private static T Result<T>(ValueTask<T> call) => call.AsTask().GetAwaiter().GetResult();

    private static Task<bool> OnThreadOfItsOwnAsync(Func<bool> action)
    {
        var source = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                source.SetResult(action());
            }
            catch (Exception exception)
            {
                source.SetException(exception);
            }
        })
        { IsBackground = true, Name = "canceller" };
        thread.Start();
        return source.Task.Within();
    }

    private async Task<IReadOnlyList<TaskSnapshot>> ListAsync() => await Store.ListAsync(new TaskQuery(), null, 1_000, Stop);
}
