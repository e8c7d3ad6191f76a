using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>What the contract classes about registered kinds have: hosts that know kinds, and hosts that die.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class DurableTest<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
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
                options.HostTimeout = TimeSpan.FromHours(10);
                options.ShutdownGracePeriod = TimeSpan.Zero;
                register(options.Tasks);
                configure?.Invoke(options);
            },
            store);
    }

    /// <summary>Every host of the store dies, as far as the store can tell; what they write from now on is refused.</summary>
    protected async Task CrashAsync()
    {
        var reaper = await JoinAsync("reaper");
        foreach (var host in await Store.HeartbeatAsync(reaper.Fence, Stop))
        {
            if (host.Fence != reaper.Fence)
            {
                await reaper.AnswerAsync(new SettleHost(host.Fence));
            }
        }

        await reaper.AnswerAsync(new LeaveHost());
    }

    /// <summary>Does something once, and notes that it was done.</summary>
    protected Task<string> PayAsync(string what)
    {
        Paid.Enqueue(what);
        return Task.FromResult(what);
    }

    /// <summary>Waits for a task to end, and tells how.</summary>
    protected static async Task<TaskSnapshot> EndOfAsync(BackgroundTaskManager manager, string taskId)
    {
        ArgumentNullException.ThrowIfNull(manager);
        return await manager.WaitAsync(taskId, Stop).Within();
    }
}
