using Polly;

namespace Coppice;

/// <summary>
/// When a failed attempt is followed by another. The pauses outlast the process: a task that waits for its next attempt is pending, and any
/// host that knows its kind makes it.
/// </summary>
/// <remarks>Names, defaults and meaning of the parts are those of Polly's retry strategy.</remarks>
public sealed record RetryPolicy
{
    private readonly int _maxRetryAttempts = 3;
    private readonly TimeSpan _delay = TimeSpan.FromSeconds(2);
    private readonly TimeSpan? _maxDelay;

    /// <summary>Gets the policy that never tries again.</summary>
    public static RetryPolicy None { get; } = new() { MaxRetryAttempts = 0 };

    /// <summary>Gets how many attempts may follow the first one that failed. From 0; 3 by default.</summary>
    public int MaxRetryAttempts
    {
        get => _maxRetryAttempts;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxRetryAttempts = value;
        }
    }

    /// <summary>Gets the pause before the next attempt, or what it is made of. From zero to 49 days; 2 seconds by default.</summary>
    public TimeSpan Delay
    {
        get => _delay;
        init => _delay = Checked(value, nameof(Delay));
    }

    /// <summary>Gets the longest pause; <see langword="null"/>, 49 days, by default.</summary>
    public TimeSpan? MaxDelay
    {
        get => _maxDelay;
        init => _maxDelay = value is { } longest ? Checked(longest, nameof(MaxDelay)) : null;
    }

    /// <summary>Gets how the pauses grow: not at all, by <see cref="Delay"/> each time, or to the double each time. Exponential by default.</summary>
    public DelayBackoffType BackoffType { get; init; } = DelayBackoffType.Exponential;

    /// <summary>Gets whether the pauses vary by a quarter in both directions, so that what failed together is not tried again together. True by default.</summary>
    public bool UseJitter { get; init; } = true;

    /// <summary>
    /// Gets which failures are tried again; all by default. A timeout of the attempt is a <see cref="TimeoutException"/>. A failure over which it throws
    /// itself is not tried again; the log says so.
    /// </summary>
    public Func<Exception, bool>? ShouldHandle { get; init; }

    /// <summary>The pause after a number of failures.</summary>
    /// <param name="failures">From 1.</param>
    /// <param name="chance">From 0 to under 1.</param>
    internal TimeSpan PauseAfter(int failures, double chance)
    {
        if (Delay == TimeSpan.Zero)
        {
            // However often: the factor grows beyond all numbers, and that times zero is none.
            return TimeSpan.Zero;
        }

        var factor = BackoffType switch
        {
            DelayBackoffType.Linear => failures,
            DelayBackoffType.Exponential => Math.Pow(2, failures - 1),
            _ => 1.0,
        };
        var jitter = UseJitter ? 0.75 + (0.5 * chance) : 1;
        var longest = (MaxDelay ?? BackgroundTaskOptionsValidator.LongestTimer).TotalMilliseconds;
        return TimeSpan.FromMilliseconds(Math.Min(Delay.TotalMilliseconds * factor * jitter, longest));
    }

    internal bool Allows(int failures, Exception failure) => failures <= MaxRetryAttempts && (ShouldHandle is null || ShouldHandle(failure));

    private static TimeSpan Checked(TimeSpan value, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, BackgroundTaskOptionsValidator.LongestTimer, name);
        return value;
    }
}
