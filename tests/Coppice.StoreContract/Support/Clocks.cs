namespace Coppice.StoreContract;

/// <summary>Waiting until somebody waits for a clock.</summary>
public static class Clocks
{
    /// <summary>Waits until a timer is set that fires within a time from now.</summary>
    /// <param name="clock">The clock.</param>
    /// <param name="time">The time.</param>
    public static async Task UntilArmedAsync(this ManualClock clock, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(clock);
        while (true)
        {
            // Taken before the look, so that what is set meanwhile is not missed.
            var armed = clock.NextArmedAsync();
            if (clock.HasTimerWithin(time))
            {
                return;
            }

            await armed.Within();
        }
    }
}
