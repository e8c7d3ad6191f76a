using System.Globalization;

namespace Coppice;

/// <summary>For stores: why messages fail, in the same words in each of them.</summary>
public static class FailureReasons
{
    /// <summary>Why a message has failed that nobody acknowledged in time.</summary>
    /// <param name="message">The message.</param>
    /// <exception cref="ArgumentNullException"><paramref name="message"/> is <see langword="null"/>.</exception>
    public static string Expired(ThreadMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return string.Create(CultureInfo.InvariantCulture, $"expired: nobody had acknowledged it by {message.ExpiresAt:yyyy-MM-dd HH:mm:ss.fff} UTC");
    }

    /// <summary>Why a message that is due is not attempted again, or <see langword="null"/>.</summary>
    /// <param name="message">The message.</param>
    /// <param name="attempts">How often it was attempted.</param>
    /// <param name="maxAttempts">How often it may be.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="ArgumentNullException"><paramref name="message"/> is <see langword="null"/>.</exception>
    public static string? BeforeAttempt(ThreadMessage message, int attempts, int maxAttempts, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message.IsExpired(now) ? Expired(message)
            : attempts >= maxAttempts ? string.Create(
                CultureInfo.InvariantCulture, $"attempted {attempts} times, the last time by a host that ended before it could say what became of it")
            : null;
    }

    /// <summary>Why a message has failed after an attempt.</summary>
    /// <param name="message">The message.</param>
    /// <param name="settle">How the attempt ended. A message that was to be tried again has failed because it would expire first.</param>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public static string AfterAttempt(ThreadMessage message, SettleOutgoing settle)
    {
        ArgumentNullException.ThrowIfNull(settle);
        return settle.End == AttemptEnd.Retry ? $"{Expired(message)}; the last attempt failed: {settle.Reason}" : settle.Reason;
    }
}
