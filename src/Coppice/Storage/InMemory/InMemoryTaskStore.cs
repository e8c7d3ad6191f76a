using System.Collections.Concurrent;

namespace Coppice;

/// <summary>
/// Tasks and mail in the memory of this process: nothing survives it. Partitioned by owner thread, so that threads do not contend.
/// Several managers on one store are several hosts.
/// </summary>
/// <remarks>
/// Locks are taken in this order: partitions (in their own order), the turn of the change feed, the forest of lineages, one record or the
/// telling of one change, the board of work.
/// Every call completes before it returns.
/// </remarks>
public sealed partial class InMemoryTaskStore : ITaskStore
{
    private readonly ConcurrentDictionary<string, ThreadPartition> _partitions = new(StringComparer.Ordinal);
    private readonly TaskDirectory _directory = new();
    private readonly LineageForest _forest;
    private readonly HostTable _hosts = new();
    private readonly ChangeFeed _feed = new();
    private readonly WorkBoard _board = new();
    private long _partitionOrder;
    private volatile bool _isDisposed;

    /// <summary>Creates an empty store.</summary>
    public InMemoryTaskStore() => _forest = new LineageForest(_directory.Find);

    /// <inheritdoc/>
    public long MailDepth => _partitions.Values.Sum(partition => (long)partition.Mail.Depth);

    /// <inheritdoc/>
    public ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<CommitResult>(cancellationToken);
        }

        List<TaskRecord>? felled = null;
        var result = batch.Single is { } mutation ? CommitOne(batch, mutation, ref felled) : CommitMany(batch, ref felled);
        if (felled is not null)
        {
            EndFelled(felled, batch.Time);
        }

        return ValueTask.FromResult(result);
    }

    /// <inheritdoc/>
    public ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(batch.Result);
    }

    /// <inheritdoc/>
    public IDisposable Subscribe(ITaskStoreListener listener)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _feed.Subscribe(listener);
    }

    /// <summary>Ends the store and forgets what is in it.</summary>
    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        _partitions.Clear();
        return ValueTask.CompletedTask;
    }

    private CommitResult CommitOne(MutationBatch batch, Mutation mutation, ref List<TaskRecord>? felled)
    {
        switch (mutation)
        {
            case JoinHost join: return Join(batch, join);
            case SettleHost settle: return Settle(batch, settle);
            case LeaveHost: return Leave(batch);
            case PruneTasks prune: return Prune(batch, prune);
            case ClaimWork claim: return Claim(batch, claim);
            case PostToOutbox or ClaimOutbox or SettleOutgoing or ExpireMessages or ReplayFailedMessages or ClearFailedMessages:
                return CommitMessageWork(batch, mutation);
        }

        // Writing a message takes longer than all the rest, so it is done before anything is locked.
        var message = mutation is SendMessage send ? MessageOf(send) : null;
        var (first, second) = PartitionsOf(mutation);
        using var locks = new PartitionLocks(first, second);
        if (!_hosts.IsOpen(batch.Host))
        {
            return Fenced();
        }

        using var turn = _feed.TakeTurn();
        using var forest = mutation is AddTask add && LineageForest.Concerns(add.Lineage) ? _forest.Enter() : default;
        if (Check(batch, mutation) is { } refusal)
        {
            return new CommitResult(CommitStatus.Refused, 0, refusal);
        }

        if (mutation is AddTask task && FindKnown(task) is null)
        {
            var added = Create(batch, task);
            var result = new CommitResult(CommitStatus.Landed, turn.Revision, new TaskAdded(added.Record.TaskId));
            batch.MarkLanded(result);
            Publish(batch, added, turn);
            return result;
        }
        else
        {
            var result = new CommitResult(CommitStatus.Landed, turn.Revision, Apply(batch, mutation, turn, ref felled, message));
            batch.MarkLanded(result);
            return result;
        }
    }

    private CommitResult CommitMany(MutationBatch batch, ref List<TaskRecord>? felled)
    {
        var mutations = batch.Mutations;
        if (mutations.Any(mutation => mutation is JoinHost or SettleHost or LeaveHost or PruneTasks or ClaimWork || IsMessageWork(mutation)))
        {
            throw new ArgumentException(
                "Joining, settling, leaving, pruning, claiming work, and the outbox, expiry and failures of messages each need a batch of their own.",
                nameof(batch));
        }

        using var locks = new PartitionLocks(mutations.SelectMany(PartitionList));
        if (!_hosts.IsOpen(batch.Host))
        {
            return Fenced();
        }

        using var turn = _feed.TakeTurn();
        using var forest = _forest.Enter();
        var refusals = CheckAll(batch);
        if (refusals.Any(refusal => refusal is not null))
        {
            return new CommitResult(
                CommitStatus.Refused, 0, [.. refusals.Select(refusal => refusal ?? NotApplied.Instance)]);
        }

        var answers = new MutationAnswer[mutations.Count];
        var added = new List<Added>();
        for (var i = 0; i < answers.Length; i++)
        {
            if (mutations[i] is AddTask task && FindKnown(task) is null)
            {
                added.Add(Create(batch, task));
                answers[i] = new TaskAdded(added[^1].Record.TaskId);
            }
            else
            {
                answers[i] = Apply(batch, mutations[i], turn, ref felled);
            }
        }

        var result = new CommitResult(CommitStatus.Landed, turn.Revision, answers);
        batch.MarkLanded(result);
        foreach (var each in added)
        {
            Publish(batch, each, turn);
        }

        return result;
    }

    /// <summary>Each mutation against the state before the batch, and against those before it where they are after the same thing.</summary>
    private MutationAnswer?[] CheckAll(MutationBatch batch)
    {
        var names = new HashSet<(string, string)>();
        var keys = new HashSet<(string, string)>();
        var movedTasks = new HashSet<string>(StringComparer.Ordinal);
        var conversations = new Dictionary<string, int>(StringComparer.Ordinal);
        var agentThreads = new HashSet<string>(StringComparer.Ordinal);
        return [.. batch.Mutations.Select(mutation => Check(batch, mutation) ?? mutation switch
        {
            AddTask task when FindKnown(task) is not null => null,
            AddTask { Work.IdempotencyKey: { } key } task when !keys.Add((task.OwnerThreadId, key)) => new AddRefused(SpawnError.IdempotencyKeyReused),
            AddTask { Name: { } name } task when !names.Add((task.OwnerThreadId, name)) => new AddRefused(SpawnError.DuplicateName),
            AddTask { AgentThreadId: { } thread } task when !agentThreads.Add(thread) && task.Continues is not null => new AddRefused(SpawnError.AgentBusy),
            AppendConversation append when !conversations.TryAdd(append.ThreadId, append.FirstEntry + append.Entries.Count) =>
                new ConversationMoved(conversations[append.ThreadId]),
            ForgetConversation forget => NoteForgotten(conversations, forget.ThreadId),
            FinishTask finish when !movedTasks.Add(finish.TaskId) => new MoveRefused(finish.State),
            MoveTask move when !movedTasks.Add(move.TaskId) => new MoveRefused(move.To),
            HandBackWork back when !movedTasks.Add(back.TaskId) => new MoveRefused(TaskState.Pending),
            StoreStep step when movedTasks.Contains(step.TaskId) => new MoveRefused(null),
            StoreCheckpoint checkpoint when movedTasks.Contains(checkpoint.TaskId) => new MoveRefused(null),
            _ => null,
        })];
    }

    /// <summary>Why a mutation is refused, or <see langword="null"/>.</summary>
    private MutationAnswer? Check(MutationBatch batch, Mutation mutation) => mutation switch
    {
        AddTask task => CheckAdd(task),
        FinishTask finish => CheckEnd(batch, finish),
        MoveTask move => CheckMove(batch, move),
        PostEvents post => CheckLive(batch, post.TaskId, post.Claim),
        CloseAgentInbox close => CheckLive(batch, close.TaskId, close.Claim),
        HandBackWork back => CheckAttempt(batch, back.TaskId, back.Claim, mayNeedInput: false),
        StoreStep step => CheckAttempt(batch, step.TaskId, step.Claim, mayNeedInput: true),
        StoreCheckpoint checkpoint => CheckAttempt(batch, checkpoint.TaskId, checkpoint.Claim, mayNeedInput: true),
        SendMessage send => CheckSend(send),
        PostInput post when Partition(post.ThreadId).Mail.UnreadMessages >= post.MaxUnread => Refusal(SendResult.InboxFull),
        AppendConversation append => CheckAppend(append),
        PostMessage post => CheckPost(batch, post),
        AcknowledgeMail acknowledge => IsReader(acknowledge.ThreadId, acknowledge.Reader) ? null : ReaderRefused.Instance,
        _ => null,
    };

    private MutationAnswer Apply(
        MutationBatch batch, Mutation mutation, ChangeFeed.Turn turn, ref List<TaskRecord>? felled, MailEvent? message = null) => mutation switch
    {
        AddTask known => new TaskAdded(FindKnown(known)!.TaskId) { WasKnown = true },
        FinishTask finish => Finish(batch, finish, turn),
        MoveTask move => Move(move, turn),
        PostEvents post => Post(post, turn),
        RequestCancel cancel => Cancel(batch, cancel, turn, ref felled),
        SendMessage send => Send(send, message ?? MessageOf(send), turn),
        PostMessage post => Post(batch, post, turn),
        CloseAgentInbox close => CloseInbox(close),
        HandBackWork back => HandBack(batch, back, turn),
        StoreStep step => Store(step),
        StoreCheckpoint checkpoint => Store(checkpoint),
        OpenMailbox open => Open(batch, open, turn),
        CloseMailbox close => Close(close, turn),
        AcknowledgeMail acknowledge => Acknowledge(batch, acknowledge),
        PostInput post => new MailPosted(PostTo(Partition(post.ThreadId), post.Input, turn)),
        AppendConversation append => Append(batch, append),
        ForgetConversation forget => Forget(forget),
        RestoreTasks restore => Restore(batch, restore, turn),
        _ => throw new ArgumentException($"There is no such mutation here: {mutation.GetType().Name}.", nameof(mutation)),
    };

    private (ThreadPartition? First, ThreadPartition? Second) PartitionsOf(Mutation mutation) => mutation switch
    {
        AddTask task => (Partition(task.OwnerThreadId), task.AgentThreadId is null ? null : Partition(task.AgentThreadId)),
        FinishTask finish => PartitionsOf(finish.TaskId),
        MoveTask move => PartitionsOf(move.TaskId),
        PostEvents post => PartitionsOf(post.TaskId),
        CloseAgentInbox close => PartitionsOf(close.TaskId),
        HandBackWork back => PartitionsOf(back.TaskId),
        StoreStep step => PartitionsOf(step.TaskId),
        StoreCheckpoint checkpoint => PartitionsOf(checkpoint.TaskId),
        SendMessage send => (AgentPartitionOf(send.TaskId), null),
        RequestCancel { Scope: CancelScope.Thread } cancel => (_partitions.GetValueOrDefault(cancel.Key), null),
        PostMessage post => (Partition(post.ThreadId), null),
        OpenMailbox open => (Partition(open.ThreadId), null),
        CloseMailbox close => (Partition(close.ThreadId), null),
        AcknowledgeMail acknowledge => (Partition(acknowledge.ThreadId), null),
        PostInput post => (Partition(post.ThreadId), null),
        AppendConversation append => (Partition(append.ThreadId), null),
        ForgetConversation forget => (Partition(forget.ThreadId), null),
        RestoreTasks restore => (Partition(restore.OwnerThreadId), null),
        _ => (null, null),
    };

    private IEnumerable<ThreadPartition> PartitionList(Mutation mutation) => PartitionList(PartitionsOf(mutation));

    private static IEnumerable<ThreadPartition> PartitionList((ThreadPartition? First, ThreadPartition? Second) partitions) =>
        new[] { partitions.First, partitions.Second }.OfType<ThreadPartition>();

    private (ThreadPartition? First, ThreadPartition? Second) PartitionsOf(string taskId) =>
        _directory.Find(taskId) is { } task ? PartitionsOf(task) : (null, null);

    private (ThreadPartition? First, ThreadPartition? Second) PartitionsOf(TaskRecord task) =>
        (task.Owner, task.Agent is null ? null : Partition(task.Agent.ThreadId));

    /// <summary>The partition of an agent's own thread. The end of an agent takes it too, so under its lock the agent does not end.</summary>
    private ThreadPartition? AgentPartitionOf(string taskId) =>
        _directory.Find(taskId)?.Agent is { } seat ? Partition(seat.ThreadId) : null;

    private ThreadPartition Partition(string threadId) =>
        _partitions.TryGetValue(threadId, out var partition)
            ? partition
            : _partitions.GetOrAdd(
                threadId, static (id, store) => new ThreadPartition(id, Interlocked.Increment(ref store._partitionOrder)), this);

    private static CommitResult Fenced() => new(CommitStatus.Fenced, 0, []);
}
