using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coppice;

/// <summary>How a manager works. The defaults suit one process; a manager copies what it is given when it starts.</summary>
public sealed class BackgroundTaskOptions
{
    /// <summary>Gets or sets how long a shutdown waits for bodies to end. From zero; 25 seconds by default, just under a container's 30.</summary>
    public TimeSpan ShutdownGracePeriod { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// Gets or sets after how long without a sign of life another host gives this one up for dead, and this one another. At least
    /// 50 milliseconds; 15 seconds by default. Heartbeats go five times as often.
    /// </summary>
    public TimeSpan HostTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Gets or sets where time comes from. The system's clock by default.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Gets or sets where log messages go. Nowhere by default; the host's loggers under dependency injection.</summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    /// <summary>Gets or sets what makes the meter named <c>Coppice</c>. By default a meter of its own; the host's factory under dependency injection.</summary>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>Gets or sets the name of this host, shown where hosts are listed. By default the machine's name and the process id. At most 128 characters.</summary>
    public string? HostName { get; set; }

    /// <summary>
    /// Gets or sets what is called with a thread's id when the thread has a terminal event or message that nobody reads: when it
    /// arrives while no inbox is open, when an inbox closes over it, and at start-up. One call at a time for each thread, perhaps more
    /// than once for the same mail; never before the start has returned. The token is cancelled when the manager's disposal begins.
    /// An exception is logged and nothing else.
    /// </summary>
    public Func<string, CancellationToken, ValueTask>? OnUnreadMail { get; set; }

    /// <summary>Gets or sets the longest name of a task, in characters. 1 to 128; 128 by default.</summary>
    public int MaxNameLength { get; set; } = 128;

    /// <summary>Gets or sets the longest id (thread, run, call, agent) and the longest task or event type, in bytes of UTF-8. 1 to 4096; 256 by default.</summary>
    public int MaxIdBytes { get; set; } = 256;

    /// <summary>Gets or sets the longest description, in bytes of UTF-8. From 0; 4 KB by default.</summary>
    public int MaxDescriptionBytes { get; set; } = 4 * 1024;

    /// <summary>Gets or sets the longest result, in bytes of UTF-8 JSON. From 16; 1 MB by default. A longer one ends its task as failed.</summary>
    public int MaxResultBytes { get; set; } = 1024 * 1024;

    /// <summary>Gets or sets the longest payload of an event, in bytes of UTF-8 JSON. From 16; 1 MB by default.</summary>
    public int MaxEventPayloadBytes { get; set; } = 1024 * 1024;

    /// <summary>Gets or sets the longest error, in bytes of UTF-8. From 64; 16 KB by default. A longer one is cut.</summary>
    public int MaxErrorBytes { get; set; } = 16 * 1024;

    /// <summary>Gets or sets the longest message or live input, in bytes of UTF-8. From 1; 256 KB by default.</summary>
    public int MaxMessageBytes { get; set; } = 256 * 1024;

    /// <summary>Gets or sets how many events of one task may wait for the store. From 1; 10,000 by default. Beyond it <c>Emit</c> is false.</summary>
    public int MaxUnflushedEvents { get; set; } = 10_000;

    /// <summary>Gets or sets the longest entry of a conversation, in bytes of UTF-8 JSON. From 16; 1 MB by default.</summary>
    public int MaxConversationEntryBytes { get; set; } = 1024 * 1024;

    /// <summary>Gets or sets how many entries the conversation of a thread may have. From 1; 100,000 by default.</summary>
    public int MaxConversationEntries { get; set; } = 100_000;

    /// <summary>Gets or sets how many unread custom events a thread may have. From 1; 100,000 by default. Beyond it <c>Emit</c> is false.</summary>
    public int MaxUnreadEvents { get; set; } = 100_000;

    /// <summary>
    /// Gets or sets how many unread messages a mailbox may hold. From 1; 10,000 by default. Beyond it a message to an agent and live input are
    /// <see cref="SendResult.InboxFull"/>, a message to a thread <see cref="PostResult.MailboxFull"/>.
    /// </summary>
    public int MaxUnreadMessages { get; set; } = 10_000;

    /// <summary>
    /// Gets or sets how long a message between threads is of use. From one millisecond; <see langword="null"/>, for ever, by default. One that
    /// nobody acknowledged by then becomes a failed message of its sender's thread.
    /// </summary>
    public TimeSpan? MessageTimeToLive { get; set; }

    /// <summary>
    /// Gets or sets how long after its acknowledgement or failure the id of a message is remembered, so that the same id is not delivered again.
    /// From zero; 7 days by default.
    /// </summary>
    public TimeSpan MessageIdMemory { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Gets or sets how many failed messages a thread keeps. From 1; 10,000 by default. Beyond it the oldest are dropped, which is logged.</summary>
    public int MaxFailedMessages { get; set; } = 10_000;

    /// <summary>
    /// Gets or sets what forwards messages to threads that live elsewhere. None by default; the one that is registered under dependency
    /// injection. A host without one leaves the messages alone that wait for one.
    /// </summary>
    public IMessageTransport? MessageTransport { get; set; }

    /// <summary>Gets or sets how many messages the transport forwards at once, each of another sender or to another recipient. From 1; 16 by default.</summary>
    public int MaxMessagesUnderWay { get; set; } = 16;

    /// <summary>Gets or sets how often a message is handed to the transport before it fails. From 1; 10 by default.</summary>
    public int MaxMessageAttempts { get; set; } = 10;

    /// <summary>Gets or sets the pause after a first failed attempt; each one after it is twice as long, and all vary by a quarter. From 1 millisecond; 1 second by default.</summary>
    public TimeSpan FirstMessageRetry { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the longest pause between two attempts. From <see cref="FirstMessageRetry"/>; 5 minutes by default.</summary>
    public TimeSpan LongestMessageRetry { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Gets or sets after how long an attempt's token is cancelled. From 1 millisecond; 1 minute by default.</summary>
    public TimeSpan MessageSendTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets or sets how deep a tree of tasks may be, the root counting as one. 1 to 64; 64 by default.</summary>
    public int MaxDepth { get; set; } = 64;

    /// <summary>Gets or sets how many changes may wait for one watcher. From 1; 100,000 by default. A watcher that falls further behind is ended with <see cref="WatchOverrunException"/>.</summary>
    public int MaxWatchBacklog { get; set; } = 100_000;

    /// <summary>Gets the kinds of task that this host knows, and runs. Empty by default; copied when a manager starts.</summary>
    public TaskRegistry Tasks { get; private set; } = new();

    /// <summary>
    /// Gets or sets how many tasks of registered kinds this host runs at once. From 1; 100 by default. One that waits for other tasks or sleeps is
    /// not counted meanwhile.
    /// </summary>
    public int MaxConcurrentAttempts { get; set; } = 100;

    /// <summary>
    /// Gets or sets how long a body has to end after its attempt took too long or its deadline came. Then the attempt is over without it, and what it
    /// still does is not stored. From zero; 10 seconds by default.
    /// </summary>
    public TimeSpan AttemptGracePeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the longest input of a task of a registered kind, in bytes of UTF-8 JSON. From 16; 1 MB by default.</summary>
    public int MaxInputBytes { get; set; } = 1024 * 1024;

    /// <summary>Gets or sets the longest result of a step and the longest checkpoint, in bytes of UTF-8 JSON. From 16; 1 MB by default.</summary>
    public int MaxStepBytes { get; set; } = 1024 * 1024;

    /// <summary>Gets or sets how many steps of one task are stored. From 1; 10,000 by default.</summary>
    public int MaxSteps { get; set; } = 10_000;

    internal WorkScheduler Scheduler { get; set; } = WorkScheduler.Pool;

    internal BackgroundTaskOptions Clone()
    {
        var clone = (BackgroundTaskOptions)MemberwiseClone();
        clone.Tasks = Tasks.Copy();
        return clone;
    }
}
