using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Coppice.StoreContract;

/// <summary>Law 14: nothing piles up.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law14NothingPilesUpContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Theory]
    [InlineData("body")]
    [InlineData("agent")]
    [InlineData("blocking")]
    public async Task The_delegate_of_an_ended_task_is_released(string kind)
    {
        var manager = await StartAsync();
        var canaries = new List<Canary>();
        for (var i = 0; i < 20; i++)
        {
            await manager.WaitAsync(await SpawnWithCanaryAsync(manager, canaries, kind, null), Stop).Within();
        }

        await AllDeadAsync(canaries);
    }

    [Fact]
    public async Task The_delegate_is_released_also_where_somebody_kept_the_context_or_captured_the_ambient_one()
    {
        var manager = await StartAsync();
        var canaries = new List<Canary>();
        var kept = new List<object?>();
        for (var i = 0; i < 20; i++)
        {
            await manager.WaitAsync(await SpawnWithCanaryAsync(manager, canaries, "body", context =>
            {
                lock (kept)
                {
                    kept.Add(context);
                    kept.Add(context.CancellationToken);
                    kept.Add(ExecutionContext.Capture());
                }
            }), Stop).Within();
        }

        await AllDeadAsync(canaries);
        GC.KeepAlive(kept);
    }

    [Theory]
    [InlineData("timer")]
    [InlineData("cache")]
    [InlineData("linked token")]
    [InlineData("parked task")]
    [InlineData("activity")]
    [InlineData("execution context")]
    [InlineData("code left behind")]
    public async Task What_a_body_left_in_timers_and_caches_keeps_neither_its_delegate_nor_its_token_source(string kind)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is CoppiceTelemetry.Name or LeftBehind.ActivitySourceName,
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var manager = await StartAsync();
        var canaries = new List<Canary>();
        using var left = new LeftBehind();
        for (var i = 0; i < 20; i++)
        {
            await manager.WaitAsync(await SpawnWithCanaryAsync(manager, canaries, "body", context => Leave(left, kind, context, canaries)), Stop).Within();
        }

        await AllDeadAsync(canaries);
        Assert.Equal(20, left.Count);
    }

    [Theory]
    [InlineData("timer")]
    [InlineData("cache")]
    [InlineData("execution context")]
    public async Task What_was_left_behind_by_a_cancelled_body_keeps_nothing_either(string kind)
    {
        var manager = await StartAsync();
        var canaries = new List<Canary>();
        using var left = new LeftBehind();
        for (var i = 0; i < 20; i++)
        {
            var started = new Signal();
            var id = await SpawnParkedWithCanaryAsync(manager, canaries, started, context => Leave(left, kind, context, canaries));
            await started.WaitAsync();
            await manager.CancelAsync(id, Stop).Within();
            await manager.WaitAsync(id, Stop).Within();
        }

        await AllDeadAsync(canaries);
        Assert.Equal(20, left.Count);
    }

    [Fact]
    public async Task What_a_body_registered_on_its_token_is_released_with_the_task()
    {
        var manager = await StartAsync();
        var canaries = new List<Canary>();
        for (var i = 0; i < 10; i++)
        {
            var id = await manager.SpawnAsync("t1", RegisteringBody(canaries), cancellationToken: Stop).Within();
            await manager.WaitAsync(id, Stop).Within();
        }

        await AllDeadAsync(canaries);
    }

    [Fact]
    public async Task A_refused_spawn_keeps_nothing_either()
    {
        var manager = await StartAsync();
        await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Name = "worker" }, Stop).Within();
        var canaries = new List<Canary>();
        for (var i = 0; i < 10; i++)
        {
            await Assert.ThrowsAsync<SpawnException>(() => SpawnWithCanaryAsync(manager, canaries, "body", null, "worker"));
        }

        await AllDeadAsync(canaries);
    }

    [Fact]
    public async Task A_disposed_manager_is_released_by_its_store()
    {
        var canaries = new List<Canary>();
        await DisposeManagerWithCanaryAsync(canaries);
        await AllDeadAsync(canaries);
    }

    [Fact]
    public async Task Waits_watches_and_reads_that_were_given_up_are_released()
    {
        var manager = await StartAsync();
        var id = await manager.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var canaries = new List<Canary>();
        for (var i = 0; i < 10; i++)
        {
            await GiveUpAsync(manager, inbox, id, canaries);
        }

        await AllDeadAsync(canaries);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<string> SpawnWithCanaryAsync(
        BackgroundTaskManager manager, List<Canary> canaries, string kind, Action<TaskContext>? inside, string? name = null)
    {
        var cargo = Canary.New(canaries);
        Func<TaskContext, Task<TaskOutcome>> body = async context =>
        {
            await Task.Yield();
            inside?.Invoke(context);
            GC.KeepAlive(cargo);
            return TaskOutcome.Success("done");
        };
        var options = new SpawnOptions { Name = name, Blocking = kind == "blocking" };
        return kind == "agent"
            ? manager.SpawnAgentAsync("t1", body, options, Stop).Within()
            : manager.SpawnAsync("t1", body, options, Stop).Within();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<string> SpawnParkedWithCanaryAsync(
        BackgroundTaskManager manager, List<Canary> canaries, Signal started, Action<TaskContext> inside)
    {
        var cargo = Canary.New(canaries);
        return manager.SpawnAsync("t1", async context =>
        {
            await Task.Yield();
            inside(context);
            started.Set();
            await context.WhenCancelledAsync();
            GC.KeepAlive(cargo);
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
    }

    /// <summary>Leaves something behind, and watches the token's source too, unless it is kept itself: a linked source keeps what it is linked to.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave(LeftBehind left, string kind, TaskContext context, List<Canary> canaries)
    {
        if (kind != "linked token")
        {
            var token = context.CancellationToken;
            Canary.Watch(canaries, SourceOf(ref token)!);
        }

        left.Add(kind, context);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_source")]
    private static extern ref CancellationTokenSource? SourceOf(ref CancellationToken token);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Func<TaskContext, Task<TaskOutcome>> RegisteringBody(List<Canary> canaries)
    {
        var cargo = Canary.New(canaries);
        return context =>
        {
            context.CancellationToken.Register(() => GC.KeepAlive(cargo));
            return Task.FromResult(TaskOutcome.Success("done"));
        };
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task GiveUpAsync(BackgroundTaskManager manager, Inbox inbox, string id, List<Canary> canaries)
    {
        using var source = new CancellationTokenSource();
        var cargo = Canary.New(canaries);
        var pending = new[]
        {
            manager.WaitAsync(id, source.Token).ContinueWith(_ => GC.KeepAlive(cargo), TaskScheduler.Default),
            inbox.ReadAsync(source.Token).AsTask().ContinueWith(_ => GC.KeepAlive(cargo), TaskScheduler.Default),
            manager.WatchAsync(new TaskQuery { Name = "nobody" }, source.Token).GetAsyncEnumerator(source.Token).MoveNextAsync().AsTask()
                .ContinueWith(_ => GC.KeepAlive(cargo), TaskScheduler.Default),
        };
        await source.CancelAsync();
        await pending.AllWithin();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task DisposeManagerWithCanaryAsync(List<Canary> canaries)
    {
        var cargo = Canary.New(canaries);
        await using var manager = await BackgroundTaskManager.StartAsync(Store, new BackgroundTaskOptions
        {
            OnUnreadMail = (_, _) =>
            {
                GC.KeepAlive(cargo);
                return ValueTask.CompletedTask;
            },
        }, Stop).Within();
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
    }

    private static async Task AllDeadAsync(List<Canary> canaries)
    {
        // The last references go a moment after the end is stored, and a moment after that the collector notices.
        for (var round = 0; round < 200 && canaries.Exists(static canary => !canary.IsDead); round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Stop);
        }

        Assert.All(canaries, static canary => Assert.True(canary.IsDead, "Something still holds the body."));
    }

    /// <summary>Tells when what it watches has been collected.</summary>
    private sealed class Canary
    {
        private readonly WeakReference _cargo;

        private Canary(object cargo) => _cargo = new WeakReference(cargo);

        public bool IsDead => !_cargo.IsAlive;

        [MethodImpl(MethodImplOptions.NoInlining)]
        public static object New(List<Canary> canaries)
        {
            var cargo = new object();
            Watch(canaries, cargo);
            return cargo;
        }

        public static void Watch(List<Canary> canaries, object cargo)
        {
            lock (canaries)
            {
                canaries.Add(new Canary(cargo));
            }
        }
    }
}
