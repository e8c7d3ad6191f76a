using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>What the contract classes about registered kinds have: hosts that know kinds, and hosts that die.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableTest<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private readonly List<FaultyStore> _mortals = [];

    /// <summary>Gets what bodies note of what they did, in order.</summary>
    protected ConcurrentQueue<string> Paid { get; } = new();

    /// <summary>Gets the time of the test's hosts. It stands still unless the test lets it pass.</summary>
    protected ManualClock Clock { get; } = new();

    /// <summary>Makes a kind that takes and gives a text.</summary>
    protected static TaskKind<string, string> Kind(string name = "work", RecoveryPolicy recovery = RecoveryPolicy.Resumable) =>
        new(name) { Recovery = recovery };

    /// <summary>Starts a host that knows kinds.</summary>
    protected Task<BackgroundTaskManager> StartAsync(
        Action<TaskRegistry> register, Action<BackgroundTaskOptions>? configure = null, ITaskStore? store = null)
    {
        ArgumentNullException.ThrowIfNull(register);
        return StartAsync(
            options =>
            {
                options.TimeProvider = Clock;
                options.HostTimeout = TimeSpan.FromDays(40);
                options.ShutdownGracePeriod = TimeSpan.Zero;
                options.AttemptGracePeriod = TimeSpan.FromDays(40);
                register(options.Tasks);
                configure?.Invoke(options);
            },
            store ?? Mortal());
    }

    /// <summary>Every host of the store dies, as far as the store can tell; what they write from now on is refused, and they do not join anew.</summary>
    protected async Task CrashAsync()
    {
        foreach (var mortal in _mortals)
        {
            mortal.Always = static batch => batch.Mutations is [JoinHost] ? FaultMoment.BeforeCommit : FaultMoment.Never;
        }

        var reaper = await JoinAsync("reaper");
        reaper.Now = Clock.GetUtcNow();
        foreach (var host in await Store.HeartbeatAsync(reaper.Fence, Stop))
        {
            if (host.Fence != reaper.Fence)
            {
                await reaper.AnswerAsync(new SettleHost(host.Fence));
            }
        }
    }

    /// <summary>Lets time pass, once somebody waits for no more than that.</summary>
    protected async Task PassAsync(TimeSpan time)
    {
        await Clock.UntilArmedAsync(time);
        Clock.Advance(time);
    }

    /// <summary>Does something once, and notes that it was done.</summary>
    protected Task<string> PayAsync(string what)
    {
        Paid.Enqueue(what);
        return Task.FromResult(what);
    }

    /// <summary>Waits for the task's token, and ends as it says.</summary>
    protected static Task ParkAsync(TaskContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new Signal().Task.WaitAsync(context.CancellationToken);
    }

    /// <summary>Waits for a task to end, and tells how.</summary>
    protected static async Task<TaskSnapshot> EndOfAsync(BackgroundTaskManager manager, string taskId)
    {
        ArgumentNullException.ThrowIfNull(manager);
        return await manager.WaitAsync(taskId, Stop).Within();
    }

    private FaultyStore Mortal()
    {
        var store = new FaultyStore(Store);
        _mortals.Add(store);
        return store;
    }
}
