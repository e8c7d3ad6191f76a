namespace Coppice;

/// <summary>What a message between threads has besides its text; all optional.</summary>
public sealed record PostOptions
{
    /// <summary>Gets the agent of the thread that it is meant for. The thread's reader sees it; nothing is sorted by it.</summary>
    public string? ToAgentId { get; init; }

    /// <summary>
    /// Gets how long it is of use, from one millisecond. One that nobody acknowledged by then becomes a failed message of its sender's
    /// thread. <see cref="BackgroundTaskOptions.MessageTimeToLive"/> by default.
    /// </summary>
    public TimeSpan? TimeToLive { get; init; }

    /// <summary>
    /// Gets the id, for a post that may be made twice: the same id to the same thread is accepted again and delivered once. A new
    /// UUID v7 by default.
    /// </summary>
    public string? MessageId { get; init; }
}
