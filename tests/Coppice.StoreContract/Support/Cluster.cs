namespace Coppice.StoreContract;

/// <summary>Lets the time of one host pass while that of others stands still.</summary>
public static class Cluster
{
    /// <summary>Gets the <see cref="BackgroundTaskOptions.HostTimeout"/> that the tests with several hosts use, on clocks of their own.</summary>
    public static TimeSpan HostTimeout { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Lets a host's clock pass in steps of a heartbeat, each once the last was seen, until something has happened.</summary>
    /// <param name="clock">The host's clock.</param>
    /// <param name="store">The store as the host sees it.</param>
    /// <param name="happened">Completes when it has happened.</param>
    public static async Task RunUntilAsync(this ManualClock clock, FaultyStore store, Task happened)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(happened);

        var step = HostTimeout / 5;
        var guard = Task.Delay(Wait.Guard, TimeProvider.System, TestContext.Current.CancellationToken);
        while (!happened.IsCompleted)
        {
            Assert.False(guard.IsCompleted, "It did not happen, however long the host's clock ran.");
            var heartbeat = store.NextHeartbeatAsync();
            var armed = clock.NextArmedAsync();
            if (clock.HasTimerWithin(step))
            {
                clock.Advance(step);
                await Task.WhenAny(happened, heartbeat, armed, guard);
            }
            else
            {
                await Task.WhenAny(happened, armed, guard);
            }
        }

        await happened.Within();
    }
}
