using System.Globalization;

namespace Coppice.Testing;

/// <summary>Changes of a store in words, short enough for one line.</summary>
internal static class MutationText
{
    internal static string Describe(MutationBatch batch, CommitResult result)
    {
        var parts = batch.Mutations.Select((mutation, i) => result.Status switch
        {
            CommitStatus.Fenced => Describe(mutation),
            _ => $"{Describe(mutation)}{Describe(result.Answers[i])}",
        });
        var end = result.Status switch
        {
            CommitStatus.Landed => string.Create(CultureInfo.InvariantCulture, $" [stored, revision {result.Revision}]"),
            CommitStatus.Refused => " [refused]",
            _ => " [refused: the host is fenced off]",
        };
        return string.Join("; ", parts) + end;
    }

    internal static string Describe(Mutation mutation) => mutation switch
    {
        AddTask add => $"spawn {(add.Work is { } work ? WorkText.Of(work) : "")}on {add.OwnerThreadId}{Named(add.Name)}{Titled(add.Description)}{Under(add.Lineage)}"
            + (add.AgentThreadId is null ? "" : $", agent of {add.AgentThreadId}") + (add.Continues is null ? "" : $", continuing {add.Continues}"),
        ClaimWork claim => claim.Limit == 0 ? "look what is due" : $"claim up to {claim.Limit} of {string.Join(", ", claim.Kinds.Select(static kind => kind.Kind))}",
        HandBackWork back => $"hand back {back.TaskId}{WorkText.Of(back.Claim)}{Cause(back.Error)}{With(back.Events.Count)}",
        StoreStep store => $"store step {WorkText.Of(store.Step)} of {store.TaskId}{WorkText.Of(store.Claim)}",
        StoreCheckpoint store => $"store checkpoint {store.Value?.GetRawText() ?? "none"} of {store.TaskId}{WorkText.Of(store.Claim)}",
        FinishTask finish => $"end {finish.TaskId}{WorkText.Of(finish.Claim)} {finish.State.ToWireName()}{Cause(finish.Error)}{With(finish.Events.Count)}",
        MoveTask move => $"move {move.TaskId} to {move.To.ToWireName()}",
        PostEvents post => $"post {post.Events.Count} of {post.TaskId} from {post.FirstEvent}",
        RequestCancel cancel => $"cancel {cancel.Scope.ToString().ToLowerInvariant()} {cancel.Key}",
        SendMessage send => $"send to {send.TaskId} '{send.Content}'",
        PostMessage post => $"post message {post.Message.MessageId} of {post.Message.FromThreadId} to {post.ThreadId}",
        PostToOutbox post => $"put message {post.Message.MessageId} of {post.Message.FromThreadId} to {post.ThreadId} into the outbox",
        ClaimOutbox => "take messages out of the outbox",
        SettleOutgoing settle => $"message {settle.Number} of the outbox, attempt {settle.Attempt}: {settle.End}{Cause(settle.Reason.Length == 0 ? null : settle.Reason)}",
        ExpireMessages => "expire messages",
        ReplayFailedMessages replay => $"replay failed messages of {replay.ThreadId}",
        ClearFailedMessages clear => $"clear failed messages of {clear.ThreadId}",
        CloseAgentInbox close => $"close the inbox of {close.TaskId}",
        OpenMailbox open => $"open the mailbox of {open.ThreadId}",
        CloseMailbox close => $"close the mailbox of {close.ThreadId}",
        AcknowledgeMail acknowledge => $"acknowledge {acknowledge.ThreadId} through {acknowledge.ThroughSequence}",
        PostInput post => $"post input to {post.ThreadId} '{post.Input.Messages.GetRawText()}'",
        AppendConversation append => $"append {append.Entries.Count} to the conversation of {append.ThreadId} from {append.FirstEntry}"
            + (append.AcknowledgeThrough == 0 ? "" : $", acknowledging through {append.AcknowledgeThrough}"),
        ForgetConversation forget => $"forget the conversation of {forget.ThreadId}",
        RestoreTasks restore => $"restore {restore.Tasks.Count} to {restore.OwnerThreadId}",
        PruneTasks => "prune",
        JoinHost join => $"join as {join.HostId}",
        SettleHost settle => $"give up {settle.Fence.HostId} of epoch {settle.Fence.Epoch}",
        LeaveHost => "leave",
        _ => mutation.GetType().Name,
    };

    internal static string Describe(TaskChange change) =>
        $"{change.Task.TaskId} {change.Kind switch
        {
            TaskChangeKind.Spawned => "is there" + Named(change.Task.Name),
            TaskChangeKind.Moved => "moves to " + change.Task.State.ToWireName(),
            TaskChangeKind.CancelRequested => "is to be cancelled by " + change.Task.CancelledBy,
            TaskChangeKind.Emitted => $"posts {change.Event?.EventType}",
            TaskChangeKind.Ended => $"has ended {change.Task.State.ToWireName()}{Cause(change.Task.Error)}",
            _ => $"is restored {change.Task.State.ToWireName()}",
        }} (revision {change.Revision})";

    internal static string Describe(MailEvent mail) => mail switch
    {
        TaskCompleted completed => $"{completed.TaskId} completed",
        TaskFailed failed => $"{failed.TaskId} failed",
        TaskCancelled cancelled => $"{cancelled.TaskId} cancelled",
        CustomTaskEvent custom => $"{custom.TaskId} {custom.EventType}",
        ThreadMessage message => "message " + message.MessageId,
        LiveInput => "input",
        _ => mail.GetType().Name,
    };

    internal static string Cause(string? error) => error is null ? "" : $" ({error})";

    private static string Describe(MutationAnswer answer) => answer switch
    {
        TaskAdded added => $" -> {(added.WasKnown ? "known, " : "")}{added.TaskId}",
        WorkClaimed claimed => claimed.Tasks.Count == 0 ? " -> none" : $" -> {string.Join(", ", claimed.Tasks.Select(static each => each.Task.TaskId + WorkText.Of(each.Claim)))}",
        WorkHandedBack back => $" -> {back.State.ToWireName()}",
        AddRefused refused => $" -> {refused.Error}",
        MoveRefused refused => $" -> refused, it is {refused.State?.ToWireName() ?? "not this host's"}",
        CancelReached reached => $" -> reached {(reached.TaskIds.Count == 0 ? "none" : string.Join(", ", reached.TaskIds))}",
        MessageSent sent => $" -> mail {sent.Sequence}",
        SendRefused refused => $" -> {refused.Receipt.Result}",
        MailPosted { WasKnown: true } => " -> known",
        MailPosted posted => posted.Sequence == 0 ? "" : $" -> mail {posted.Sequence}",
        PostRefused refused => $" -> {refused.Result}",
        OutboxClaimed claimed => $" -> {claimed.Messages.Count} taken, {claimed.Failed} failed",
        OutgoingSettled settled => settled.WasHeld ? settled.HasFailed ? " -> failed" : "" : " -> not this host's",
        MessagesExpired expired => $" -> {expired.Count} expired",
        MessagesReplayed replayed => $" -> {replayed.Count} replayed, {replayed.Left} left",
        FailedMessagesCleared cleared => $" -> {cleared.Count} cleared",
        MailboxOpened opened => $" -> acknowledged through {opened.AcknowledgedThrough}",
        MailAcknowledged acknowledged => $" -> through {acknowledged.ThroughSequence}",
        ReaderRefused => " -> another has it",
        ConversationAppended appended => $" -> {appended.Count} entries",
        ConversationMoved moved => $" -> refused, it has {moved.Count} entries",
        TasksRestored restored => $" -> {restored.Result.Added} added, {restored.Result.Skipped} skipped, {restored.Result.Orphaned} orphaned",
        TasksPruned pruned => $" -> {pruned.Count} forgotten",
        HostJoined joined => $" -> epoch {joined.Fence.Epoch}{Orphaned(joined.Orphans)}{Recovered(joined.Recovered)}",
        HostSettled settled => $" -> settled{Orphaned(settled.Orphans)}{Recovered(settled.Recovered)}",
        _ => "",
    };

    private static string Orphaned(IReadOnlyList<string> orphans) => orphans.Count == 0 ? "" : $", orphans {string.Join(", ", orphans)}";

    private static string Recovered(IReadOnlyList<string> recovered) => recovered.Count == 0 ? "" : $", recovered {string.Join(", ", recovered)}";

    private static string Named(string? name) => name is null ? "" : $" named '{name}'";

    private static string Titled(string description) => description.Length == 0 ? "" : $" ({description})";

    private static string Under(TaskLineage lineage) =>
        (lineage.TaskId is null ? "" : $" under {lineage.TaskId}") + (lineage.RunId is null ? "" : $" in run {lineage.RunId}");

    private static string With(int events) => events == 0 ? "" : $" with {events} events";
}
