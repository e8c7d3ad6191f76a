namespace Coppice.Testing.Tests;

public sealed class ManualClockTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void Timers_fire_in_the_order_in_which_they_are_due_and_see_their_own_time()
    {
        var start = _clock.GetUtcNow();
        var fired = new List<(string Name, TimeSpan At)>();
        using var late = Timer("late", 2);
        using var early = Timer("early", 1);

        _clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal([("early", TimeSpan.FromSeconds(1)), ("late", TimeSpan.FromSeconds(2))], fired);
        Assert.Equal(start + TimeSpan.FromSeconds(3), _clock.GetUtcNow());

        ITimer Timer(string name, int seconds) => _clock.CreateTimer(
            _ => fired.Add((name, _clock.GetUtcNow() - start)), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void A_periodic_timer_fires_as_often_as_its_period_fits_until_it_is_disposed()
    {
        var fired = 0;
        using (_clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)))
        {
            _clock.Advance(TimeSpan.FromSeconds(3.5));
            Assert.Equal(3, fired);
        }

        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(3, fired);
    }

    [Fact]
    public void Setting_the_clock_is_not_noticed_by_timers_and_timestamps()
    {
        var fired = 0;
        using var timer = _clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        var before = _clock.GetTimestamp();

        _clock.Adjust(TimeSpan.FromHours(-1));

        Assert.Equal(before, _clock.GetTimestamp());
        Assert.True(_clock.HasTimerWithin(TimeSpan.FromSeconds(1)));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void Time_does_not_run_backwards() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _clock.Advance(TimeSpan.FromTicks(-1)));
}
