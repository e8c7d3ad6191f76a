namespace Coppice.Testing;

/// <summary>The simulation's time as one process has it: its timers go with the process.</summary>
internal sealed class SimulatedClock(SimulationLoop loop, SimulatedProcess process) : TimeProvider
{
    internal static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => Start + loop.Elapsed;

    public override long GetTimestamp() => loop.Now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        loop.CheckThread("TimeProvider.CreateTimer");
        var timer = new SimulatedTimer(loop, process, callback, state);
        timer.Change(dueTime, period);
        if (CancellableDelay.Is(state))
        {
            loop.AfterStep(() => CancellableDelay.TakeOver(state!, timer));
        }

        return timer;
    }
}
