using Polly;

namespace Coppice.Tests.Work;

public sealed class RetryPolicyTests
{
    [Theory]
    [InlineData(DelayBackoffType.Constant, 10, 10, 10, 10)]
    [InlineData(DelayBackoffType.Linear, 10, 20, 30, 40)]
    [InlineData(DelayBackoffType.Exponential, 10, 20, 40, 80)]
    public void Pauses_grow_as_they_are_asked_to(DelayBackoffType growth, params int[] seconds)
    {
        var policy = new RetryPolicy { Delay = TimeSpan.FromSeconds(10), BackoffType = growth, UseJitter = false };

        Assert.Equal(seconds, Enumerable.Range(1, 4).Select(failures => (int)policy.PauseAfter(failures, 0.5).TotalSeconds));
    }

    [Fact]
    public void Pauses_vary_by_a_quarter_and_have_a_longest()
    {
        var policy = new RetryPolicy { Delay = TimeSpan.FromSeconds(10), MaxDelay = TimeSpan.FromSeconds(60) };

        Assert.Equal(7.5, policy.PauseAfter(1, 0).TotalSeconds);
        Assert.Equal(10, policy.PauseAfter(1, 0.5).TotalSeconds);
        Assert.InRange(policy.PauseAfter(1, 0.999).TotalSeconds, 12.4, 12.5);
        Assert.Equal(60, policy.PauseAfter(10, 0.5).TotalSeconds);
        Assert.Equal(60, policy.PauseAfter(10_000, 0.5).TotalSeconds);
    }

    [Theory]
    [InlineData(DelayBackoffType.Constant)]
    [InlineData(DelayBackoffType.Linear)]
    [InlineData(DelayBackoffType.Exponential)]
    public void No_pause_stays_none_however_often_it_grows(DelayBackoffType growth) =>
        Assert.Equal(TimeSpan.Zero, new RetryPolicy { Delay = TimeSpan.Zero, BackoffType = growth }.PauseAfter(2_000, 0.5));

    [Fact]
    public void It_allows_as_many_retries_as_it_says_of_the_failures_it_handles()
    {
        var policy = new RetryPolicy { MaxRetryAttempts = 2, ShouldHandle = static failure => failure is TimeoutException };

        Assert.True(policy.Allows(1, new TimeoutException()));
        Assert.True(policy.Allows(2, new TimeoutException()));
        Assert.False(policy.Allows(3, new TimeoutException()));
        Assert.False(policy.Allows(1, new IOException()));
        Assert.False(RetryPolicy.None.Allows(1, new TimeoutException()));
    }
}
