using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>Log messages. Ids are stable and never reused: 1xxx hosts, 2xxx tasks, 3xxx mail, 4xxx store.</summary>
internal static partial class Log
{
    [LoggerMessage(1001, LogLevel.Information, "Host {HostId} joined with epoch {Epoch}; {Orphans} orphaned tasks of hosts that are gone were settled")]
    internal static partial void HostJoined(ILogger logger, string hostId, long epoch, int orphans);

    [LoggerMessage(1002, LogLevel.Warning, "Host {HostId} with epoch {Epoch} showed no sign of life and was given up; {Orphans} of its tasks became orphans")]
    internal static partial void HostSettled(ILogger logger, string hostId, long epoch, int orphans);

    [LoggerMessage(1003, LogLevel.Warning, "This host was given up for dead under epoch {Epoch}; its {Tasks} running bodies are cancelled and can store nothing")]
    internal static partial void HostFenced(ILogger logger, long epoch, int tasks);

    [LoggerMessage(1004, LogLevel.Warning, "A heartbeat failed; it is tried again with the next")]
    internal static partial void HeartbeatFailed(ILogger logger, Exception exception);

    [LoggerMessage(1005, LogLevel.Information, "Shutting down; {Tasks} tasks are running and have {GraceMs} ms")]
    internal static partial void ShuttingDown(ILogger logger, int tasks, long graceMs);

    [LoggerMessage(1006, LogLevel.Warning, "Shut down with {Tasks} tasks still running; the next host finds them as orphans")]
    internal static partial void ShutDownWithRunning(ILogger logger, int tasks);

    [LoggerMessage(1007, LogLevel.Warning, "The store could not be told that this host leaves; others notice by its silence")]
    internal static partial void LeaveFailed(ILogger logger, Exception exception);

    [LoggerMessage(2001, LogLevel.Debug, "Task {TaskId} was spawned on thread {ThreadId}")]
    internal static partial void TaskSpawned(ILogger logger, string taskId, string threadId);

    [LoggerMessage(2002, LogLevel.Debug, "Task {TaskId} ended as {Status}")]
    internal static partial void TaskEnded(ILogger logger, string taskId, string status);

    [LoggerMessage(2003, LogLevel.Warning, "The {Operation} of task {TaskId} could not be stored; until it is, the task stands as it did before (attempt {Attempt})")]
    internal static partial void StoringDelayed(ILogger logger, string operation, string taskId, int attempt, Exception? exception);

    [LoggerMessage(2004, LogLevel.Warning, "The end of task {TaskId} was not accepted: it ended otherwise or its host was given up")]
    internal static partial void CompletionRefused(ILogger logger, string taskId);

    [LoggerMessage(2005, LogLevel.Warning, "A callback on the token of task {TaskId} threw")]
    internal static partial void CancelCallbackFailed(ILogger logger, string taskId, Exception exception);

    [LoggerMessage(2006, LogLevel.Error, "Running task {TaskId} failed inside the manager")]
    internal static partial void RunFailed(ILogger logger, string taskId, Exception exception);

    [LoggerMessage(2007, LogLevel.Warning, "A body of task {TaskId} ended as {Status} after its attempt was over; that is not stored")]
    internal static partial void AttemptOutlived(ILogger logger, string taskId, string status);

    [LoggerMessage(2008, LogLevel.Information, "Task {TaskId} was handed back: {Reason}")]
    internal static partial void HandedBack(ILogger logger, string taskId, string reason);

    [LoggerMessage(2009, LogLevel.Warning, "Pending tasks could not be claimed; it is tried again with the next heartbeat")]
    internal static partial void ClaimFailed(ILogger logger, Exception exception);

    [LoggerMessage(2010, LogLevel.Warning, "Tasks of kind {Kind} are pending, which is not registered on this host; they wait for a host that knows it")]
    internal static partial void KindUnknown(ILogger logger, string kind);

    [LoggerMessage(2011, LogLevel.Error, "RetryPolicy.ShouldHandle of kind {Kind} threw over a failure of task {TaskId}, which is not tried again")]
    internal static partial void RetryPredicateFailed(ILogger logger, string kind, string taskId, Exception exception);

    [LoggerMessage(3001, LogLevel.Error, "The callback for unread mail of thread {ThreadId} threw")]
    internal static partial void UnreadMailCallbackFailed(ILogger logger, string threadId, Exception exception);

    [LoggerMessage(3002, LogLevel.Warning, "Events of task {TaskId} could not be stored; they wait and are tried again")]
    internal static partial void EventsDelayed(ILogger logger, string taskId, Exception exception);

    [LoggerMessage(3003, LogLevel.Warning, "The inbox of thread {ThreadId} could not be closed in the store; it is tried again")]
    internal static partial void InboxCloseDelayed(ILogger logger, string threadId, Exception exception);

    [LoggerMessage(3004, LogLevel.Warning, "{Count} messages expired before anybody had acknowledged them; their senders' threads list them")]
    internal static partial void MessagesExpired(ILogger logger, int count);

    [LoggerMessage(3005, LogLevel.Warning, "{Dropped} failed messages were dropped, the oldest of threads that had more than {MaxFailedMessages}")]
    internal static partial void FailedMessagesDropped(ILogger logger, int dropped, int maxFailedMessages);

    [LoggerMessage(3006, LogLevel.Information, "Attempt {Attempt} to send message {MessageId} of thread {FromThreadId} to {ToThreadId} failed; the next is due in {PauseMs} ms")]
    internal static partial void SendFailed(
        ILogger logger, string messageId, string fromThreadId, string toThreadId, int attempt, long pauseMs, Exception exception);

    [LoggerMessage(3007, LogLevel.Warning, "Message {MessageId} of thread {FromThreadId} to {ToThreadId} failed for good: {Reason}")]
    internal static partial void MessageFailed(ILogger logger, string messageId, string fromThreadId, string toThreadId, string reason);

    [LoggerMessage(3008, LogLevel.Warning, "The outbox could not be looked at; it is tried again with the next heartbeat")]
    internal static partial void OutboxUnreachable(ILogger logger, Exception exception);

    [LoggerMessage(3009, LogLevel.Warning, "What became of message {MessageId} could not be stored; it is tried again, and should this host end first the message is sent again")]
    internal static partial void SettlingDelayed(ILogger logger, string messageId, Exception exception);

    [LoggerMessage(4001, LogLevel.Warning, "A commit for {Operation} failed")]
    internal static partial void CommitFailed(ILogger logger, string operation, Exception exception);
}
