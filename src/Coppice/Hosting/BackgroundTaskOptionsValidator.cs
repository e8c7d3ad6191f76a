using Microsoft.Extensions.Options;

namespace Coppice;

/// <summary>Refuses options that cannot work, with messages that say what to change.</summary>
internal sealed class BackgroundTaskOptionsValidator : IValidateOptions<BackgroundTaskOptions>
{
    internal static readonly TimeSpan LongestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    public ValidateOptionsResult Validate(string? name, BackgroundTaskOptions options)
    {
        var faults = Faults(options).ToList();
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    /// <exception cref="OptionsValidationException">An option is out of its range.</exception>
    internal static void ThrowIfInvalid(BackgroundTaskOptions options)
    {
        var faults = Faults(options).ToList();
        if (faults.Count > 0)
        {
            throw new OptionsValidationException(Options.DefaultName, typeof(BackgroundTaskOptions), faults);
        }
    }

    private static IEnumerable<string> Faults(BackgroundTaskOptions options)
    {
        if (options.TimeProvider is null)
        {
            yield return "BackgroundTaskOptions.TimeProvider is null; leave it out for the system's clock.";
        }

        if (options.LoggerFactory is null)
        {
            yield return "BackgroundTaskOptions.LoggerFactory is null; leave it out to log nothing.";
        }

        if (options.ShutdownGracePeriod < TimeSpan.Zero || options.ShutdownGracePeriod > LongestTimer)
        {
            yield return $"BackgroundTaskOptions.ShutdownGracePeriod ({options.ShutdownGracePeriod}) must be from zero to 49 days.";
        }

        if (options.AttemptGracePeriod < TimeSpan.Zero || options.AttemptGracePeriod > LongestTimer)
        {
            yield return $"BackgroundTaskOptions.AttemptGracePeriod ({options.AttemptGracePeriod}) must be from zero to 49 days.";
        }

        if (options.HostTimeout < TimeSpan.FromMilliseconds(50) || options.HostTimeout > LongestTimer)
        {
            yield return $"BackgroundTaskOptions.HostTimeout ({options.HostTimeout}) must be from 50 milliseconds to 49 days; "
                + "too short a time gives up hosts that are only slow.";
        }

        if (options.HostName is { Length: 0 or > 128 })
        {
            yield return $"BackgroundTaskOptions.HostName must have 1 to 128 characters; it has {options.HostName.Length}.";
        }

        foreach (var fault in MessageFaults(options))
        {
            yield return fault;
        }

        foreach (var (option, value, minimum, maximum) in Numbers(options))
        {
            if (value < minimum || value > maximum)
            {
                yield return $"BackgroundTaskOptions.{option} ({value}) must be from {minimum} to {maximum}.";
            }
        }
    }

    private static IEnumerable<string> MessageFaults(BackgroundTaskOptions options)
    {
        if (options.MessageTimeToLive < TimeSpan.FromMilliseconds(1))
        {
            yield return $"BackgroundTaskOptions.MessageTimeToLive ({options.MessageTimeToLive}) must be at least a millisecond; "
                + "leave it out for messages that do not expire.";
        }

        if (options.MessageIdMemory < TimeSpan.Zero)
        {
            yield return $"BackgroundTaskOptions.MessageIdMemory ({options.MessageIdMemory}) must be from zero.";
        }

        if (options.FirstMessageRetry < TimeSpan.FromMilliseconds(1) || options.FirstMessageRetry > LongestTimer)
        {
            yield return $"BackgroundTaskOptions.FirstMessageRetry ({options.FirstMessageRetry}) must be from 1 millisecond to 49 days.";
        }

        if (options.LongestMessageRetry < options.FirstMessageRetry || options.LongestMessageRetry > LongestTimer)
        {
            yield return $"BackgroundTaskOptions.LongestMessageRetry ({options.LongestMessageRetry}) must be from FirstMessageRetry "
                + $"({options.FirstMessageRetry}) to 49 days.";
        }

        if (options.MessageSendTimeout < TimeSpan.FromMilliseconds(1) || options.MessageSendTimeout > LongestTimer)
        {
            yield return $"BackgroundTaskOptions.MessageSendTimeout ({options.MessageSendTimeout}) must be from 1 millisecond to 49 days.";
        }
    }

    private static IEnumerable<(string Option, int Value, int Minimum, int Maximum)> Numbers(BackgroundTaskOptions options) =>
    [
        (nameof(options.MaxNameLength), options.MaxNameLength, 1, 128),
        (nameof(options.MaxIdBytes), options.MaxIdBytes, 1, 4096),
        (nameof(options.MaxDescriptionBytes), options.MaxDescriptionBytes, 0, int.MaxValue),
        (nameof(options.MaxResultBytes), options.MaxResultBytes, 16, int.MaxValue),
        (nameof(options.MaxEventPayloadBytes), options.MaxEventPayloadBytes, 16, int.MaxValue),
        (nameof(options.MaxErrorBytes), options.MaxErrorBytes, 64, int.MaxValue),
        (nameof(options.MaxMessageBytes), options.MaxMessageBytes, 1, int.MaxValue),
        (nameof(options.MaxUnflushedEvents), options.MaxUnflushedEvents, 1, int.MaxValue),
        (nameof(options.MaxConversationEntryBytes), options.MaxConversationEntryBytes, 16, int.MaxValue),
        (nameof(options.MaxConversationEntries), options.MaxConversationEntries, 1, int.MaxValue),
        (nameof(options.MaxUnreadEvents), options.MaxUnreadEvents, 1, int.MaxValue),
        (nameof(options.MaxUnreadMessages), options.MaxUnreadMessages, 1, int.MaxValue),
        (nameof(options.MaxFailedMessages), options.MaxFailedMessages, 1, int.MaxValue),
        (nameof(options.MaxMessagesUnderWay), options.MaxMessagesUnderWay, 1, int.MaxValue),
        (nameof(options.MaxMessageAttempts), options.MaxMessageAttempts, 1, int.MaxValue),
        (nameof(options.MaxConcurrentAttempts), options.MaxConcurrentAttempts, 1, int.MaxValue),
        (nameof(options.MaxInputBytes), options.MaxInputBytes, 16, int.MaxValue),
        (nameof(options.MaxStepBytes), options.MaxStepBytes, 16, int.MaxValue),
        (nameof(options.MaxSteps), options.MaxSteps, 1, int.MaxValue),
        (nameof(options.MaxDepth), options.MaxDepth, 1, 64),
        (nameof(options.MaxWatchBacklog), options.MaxWatchBacklog, 1, int.MaxValue),
    ];
}
