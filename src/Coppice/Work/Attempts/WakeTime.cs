namespace Coppice;

/// <summary>Timers until a time, however far it is.</summary>
internal static class WakeTime
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>How long a timer is set for, rounded up, or it would fire just before the time; never longer than a day, after which one has to look again.</summary>
    internal static TimeSpan PauseUntil(DateTimeOffset then, TimeProvider time)
    {
        var pause = then - time.GetUtcNow();
        return pause >= Longest ? Longest
            : pause <= TimeSpan.Zero ? TimeSpan.Zero
            : TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds));
    }

    internal static async Task WaitUntilAsync(DateTimeOffset then, TimeProvider time, CancellationToken cancellationToken)
    {
        while (PauseUntil(then, time) is var pause && pause > TimeSpan.Zero)
        {
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }
}
