using System.Text.Json;

namespace Coppice;

/// <summary>One change of a store. Each kind has its own kind of <see cref="MutationAnswer"/>.</summary>
public abstract record Mutation
{
    private protected Mutation()
    {
    }
}

/// <summary>Adds a task, live, owned by the batch's host. Answered by <see cref="TaskAdded"/> or <see cref="AddRefused"/>.</summary>
/// <remarks>
/// Decided in the commit, in this order: the parent and its ended ancestors up to the first live one (law 7), the depth of the tree, the
/// name among the thread's live tasks, the agent that is continued. Only an accepted task takes an id. A parent that the store does not know is kept in the
/// lineage and counts as a root of its own.
/// </remarks>
public sealed record AddTask : Mutation
{
    /// <summary>Gets the owner thread.</summary>
    public required string OwnerThreadId { get; init; }

    /// <summary>Gets the type.</summary>
    public required string Type { get; init; }

    /// <summary>Gets the name, already checked for form.</summary>
    public string? Name { get; init; }

    /// <summary>Gets the description.</summary>
    public string Description { get; init; } = "";

    /// <summary>Gets the lineage, empty strings already taken out.</summary>
    public TaskLineage Lineage { get; init; } = TaskLineage.None;

    /// <summary>Gets the state it starts in: running, or pending.</summary>
    public TaskState State { get; init; } = TaskState.Running;

    /// <summary>Gets how deep a tree may be, the root counting as one.</summary>
    public int MaxDepth { get; init; } = int.MaxValue;

    /// <summary>
    /// Gets the agent's own thread when this is an agent task, else <see langword="null"/>. The thread's mailbox is opened for
    /// <see cref="AgentReader"/> in the same commit.
    /// </summary>
    public string? AgentThreadId { get; init; }

    /// <summary>Gets the reader that the agent's mailbox is opened for.</summary>
    public Guid AgentReader { get; init; }

    /// <summary>
    /// Gets the agent task that is continued, or <see langword="null"/>. It has to be one of the owner thread whose own thread is
    /// <see cref="AgentThreadId"/> (else <see cref="SpawnError.ContinuesUnknown"/>), and no live task may be the agent of that thread
    /// (else <see cref="SpawnError.AgentBusy"/>).
    /// </summary>
    public string? Continues { get; init; }

    /// <summary>Gets what the loop of an agent tells its model of the task. A store only keeps it.</summary>
    public NotifyPolicy Notify { get; init; }

    /// <summary>
    /// Gets the work of a task of a registered kind, which starts pending, belongs to no host until one claims it, and has no reader for its
    /// mailbox; <see langword="null"/> for a task whose body the batch's host has.
    /// </summary>
    public NewWork? Work { get; init; }
}

/// <summary>Moves a live task to another state that is not terminal. Answered by <see cref="TaskMoved"/> or <see cref="MoveRefused"/>.</summary>
/// <param name="TaskId">The task; it has to belong to the batch's host.</param>
/// <param name="To">Where to; <see cref="TaskStateExtensions.CanMoveTo"/> decides. A task of a registered kind is
/// pending again only by <see cref="HandBackWork"/>.</param>
public sealed record MoveTask(string TaskId, TaskState To) : Mutation
{
    /// <summary>Gets the claim of the attempt that moves it; 0 for a task without a registered kind.</summary>
    public long Claim { get; init; }
}

/// <summary>
/// Ends a task: its last events and its terminal event go to its owner's mailbox; an agent's mailbox closes and what it had not
/// acknowledged becomes dead letters. Answered by <see cref="TaskFinished"/> or <see cref="MoveRefused"/>.
/// </summary>
/// <param name="TaskId">The task; it has to belong to the batch's host.</param>
/// <param name="State">A terminal state.</param>
public sealed record FinishTask(string TaskId, TaskState State) : Mutation
{
    /// <summary>Gets the claim of the attempt that ends it; 0 for a task without a registered kind.</summary>
    public long Claim { get; init; }

    /// <summary>Gets the error of a failure.</summary>
    public string? Error { get; init; }

    /// <summary>Gets the result of a success; <see langword="null"/> when there is none. Its raw text is strict JSON, and is what a store keeps.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Gets the place of the first of <see cref="Events"/> among all that the task emitted, counting from 0.</summary>
    public int FirstEvent { get; init; }

    /// <summary>Gets the events that were not stored before. Those the store has already (by their place) are skipped.</summary>
    public IReadOnlyList<CustomTaskEvent> Events { get; init; } = [];

    /// <summary>
    /// Gets who requested the cancellation when the store could not be told at the time, else <see langword="null"/>. A request that
    /// the store already has stays.
    /// </summary>
    public string? CancelledBy { get; init; }
}

/// <summary>Posts events of a live task to its owner's mailbox. Answered by <see cref="EventsPosted"/> or <see cref="MoveRefused"/>.</summary>
/// <param name="TaskId">The task; it has to belong to the batch's host.</param>
/// <param name="FirstEvent">The place of the first event among all that the task emitted, counting from 0; what the store has already is skipped.</param>
/// <param name="Events">The events, in order.</param>
public sealed record PostEvents(string TaskId, int FirstEvent, IReadOnlyList<CustomTaskEvent> Events) : Mutation
{
    /// <summary>Gets the claim of the attempt that posts them; 0 for a task without a registered kind.</summary>
    public long Claim { get; init; }
}

/// <summary>
/// Requests the cancellation of live tasks. Answered by <see cref="CancelReached"/>; reaching none is no refusal. The first request
/// of a task stays. A pending task that no host has claimed ends as cancelled in the same commit.
/// </summary>
/// <param name="Scope">What <paramref name="Key"/> names.</param>
/// <param name="Key">A task, thread or run id.</param>
public sealed record RequestCancel(CancelScope Scope, string Key) : Mutation
{
    /// <summary>Gets who is written down as having requested it.</summary>
    public string By => Scope switch
    {
        CancelScope.Task => "user",
        CancelScope.Tree => "tree:" + Key,
        CancelScope.Thread => "thread",
        _ => "run:" + Key,
    };
}

/// <summary>What a cancel request covers.</summary>
public enum CancelScope
{
    /// <summary>One task.</summary>
    Task,

    /// <summary>A task and every live descendant, across threads and through ended tasks.</summary>
    Tree,

    /// <summary>The tasks of a thread and their trees.</summary>
    Thread,

    /// <summary>The tasks of a run that have no parent task, and their trees.</summary>
    Run,
}

/// <summary>Sends a message to an agent task. Answered by <see cref="MessageSent"/> or <see cref="SendRefused"/>.</summary>
/// <param name="TaskId">The agent task.</param>
/// <param name="From">The sender.</param>
/// <param name="Content">The text.</param>
/// <param name="MaxUnread">How many unread messages the inbox may hold.</param>
public sealed record SendMessage(string TaskId, MessageSender From, string Content, int MaxUnread) : Mutation;

/// <summary>Posts a message to a thread's mailbox. Answered by <see cref="MailPosted"/> or <see cref="PostRefused"/>.</summary>
/// <param name="ThreadId">The thread it goes to.</param>
/// <param name="Message">The message.</param>
public sealed record PostMessage(string ThreadId, ThreadMessage Message) : Mutation
{
    /// <summary>Gets how many unread messages the mailbox may hold. Those that have expired do not count.</summary>
    public int MaxUnread { get; init; } = int.MaxValue;

    /// <summary>
    /// Gets how long after its acknowledgement or failure the id is remembered. A message whose id is remembered for the thread is answered
    /// with the place of the first, and not posted again. <see langword="null"/>: the id is not looked at, and the message does not expire.
    /// </summary>
    public TimeSpan? KeepIdFor { get; init; }

    /// <summary>Gets whether it comes from outside, so that what the outbox knows of its id does not count.</summary>
    public bool IsDelivery { get; init; }
}

/// <summary>Posts live input to a thread's mailbox. Answered by <see cref="MailPosted"/>, or by <see cref="SendRefused"/> when it is full.</summary>
/// <param name="ThreadId">The thread it goes to.</param>
/// <param name="Input">The input. The raw text of its messages is strict JSON, and is what a store keeps.</param>
/// <param name="MaxUnread">How many unread messages the mailbox may hold.</param>
public sealed record PostInput(string ThreadId, LiveInput Input, int MaxUnread) : Mutation;

/// <summary>An agent takes no more messages; what is there can still be read. Answered by <see cref="TaskMoved"/> or <see cref="MoveRefused"/>.</summary>
/// <param name="TaskId">The agent task; it has to belong to the batch's host.</param>
public sealed record CloseAgentInbox(string TaskId) : Mutation
{
    /// <summary>Gets the claim of the attempt that closes it; 0 for a task without a registered kind.</summary>
    public long Claim { get; init; }
}

/// <summary>Opens a mailbox, taking it over from any other reader. Answered by <see cref="MailboxOpened"/>.</summary>
/// <param name="ThreadId">The thread.</param>
/// <param name="Reader">The new reader, known to nobody else.</param>
public sealed record OpenMailbox(string ThreadId, Guid Reader) : Mutation;

/// <summary>Closes a mailbox, unless another reader has it by now. Answered by <see cref="MailboxClosed"/>.</summary>
/// <param name="ThreadId">The thread.</param>
/// <param name="Reader">The reader.</param>
public sealed record CloseMailbox(string ThreadId, Guid Reader) : Mutation;

/// <summary>Is done with mail. Answered by <see cref="MailAcknowledged"/>, or by <see cref="ReaderRefused"/> when another reader has the mailbox.</summary>
/// <param name="ThreadId">The thread.</param>
/// <param name="Reader">The reader.</param>
/// <param name="ThroughSequence">This and all before it; beyond the last piece of mail means the last.</param>
public sealed record AcknowledgeMail(string ThreadId, Guid Reader, long ThroughSequence) : Mutation;

/// <summary>
/// Appends to a thread's conversation and is done with mail, in one: what a model answered and what it was told are stored together. Answered
/// by <see cref="ConversationAppended"/>, by <see cref="ReaderRefused"/> when another reader has the mailbox, or by
/// <see cref="ConversationMoved"/>.
/// </summary>
/// <param name="ThreadId">The thread.</param>
/// <param name="Reader">The reader that has its mailbox; nobody else writes the conversation.</param>
/// <param name="FirstEntry">How many entries there have to be; the place of the first new one, counting from 0.</param>
/// <param name="Entries">The new entries. Their raw text is strict JSON, and is what a store keeps.</param>
public sealed record AppendConversation(string ThreadId, Guid Reader, int FirstEntry, IReadOnlyList<JsonElement> Entries) : Mutation
{
    /// <summary>Gets the mail that is done with: this and all before it; beyond the last piece of mail means the last; 0 means none.</summary>
    public long AcknowledgeThrough { get; init; }
}

/// <summary>Forgets a thread's conversation; a new one begins with entry 0. Answered by <see cref="ConversationForgotten"/>.</summary>
/// <param name="ThreadId">The thread.</param>
public sealed record ForgetConversation(string ThreadId) : Mutation;

/// <summary>Takes in tasks of a snapshot (law 10). Answered by <see cref="TasksRestored"/>.</summary>
/// <param name="OwnerThreadId">Their owner from now on.</param>
/// <param name="Tasks">The tasks, already checked. Live ones become orphans, which are told to the owner; ended ones post no mail.</param>
public sealed record RestoreTasks(string OwnerThreadId, IReadOnlyList<TaskSnapshot> Tasks) : Mutation;

/// <summary>Forgets tasks that ended before a time and have no live descendant. Their mail and ids stay. Answered by <see cref="TasksPruned"/>.</summary>
/// <param name="EndedBefore">The time, exclusive.</param>
public sealed record PruneTasks(DateTimeOffset EndedBefore) : Mutation;

/// <summary>
/// Joins the store as a host and settles the tasks of every host that is surely gone, as <see cref="SettleHost"/> does: one that has left, and
/// on a store with a lock of its own every host of an earlier process. Its batch carries <see cref="HostFence.None"/>. Answered by
/// <see cref="HostJoined"/>.
/// </summary>
/// <param name="HostId">The host's identity, fit to be shown.</param>
public sealed record JoinHost(string HostId) : Mutation;

/// <summary>
/// Gives another host up for dead: its fence is closed, its live tasks end as orphans with their events, its mailboxes close. Answered
/// by <see cref="HostSettled"/>; a host that was settled before is answered with no tasks.
/// </summary>
/// <remarks>
/// A task whose <see cref="NewWork.Recovery"/> says so is pending again instead, ready at once, with one more crash counted: unless its
/// cancellation was requested, and then it ends as cancelled, or unless it has reached <see cref="NewWork.MaxCrashes"/>, and then it fails with
/// <see cref="WorkRules.CrashError"/>. For each kind of which the host was running a task, one crash is noted at the batch's time, which
/// <see cref="KindClaim.MaxCrashes"/> goes by.
/// </remarks>
/// <param name="Fence">The host to give up.</param>
public sealed record SettleHost(HostFence Fence) : Mutation;

/// <summary>Leaves the store: the fence of the batch's host is closed, its mailboxes close, its live tasks are orphans for the next to notice. Answered by <see cref="HostLeft"/>.</summary>
public sealed record LeaveHost : Mutation;
