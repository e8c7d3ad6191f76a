namespace Coppice.Testing.Tests;

/// <summary>Says that a task is stored, and stores nothing.</summary>
internal sealed class ForgetfulStore : StoreInFront
{
    private int _ids;

    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Mutations[0] is not AddTask)
        {
            return base.CommitAsync(batch, cancellationToken);
        }

        var result = new CommitResult(CommitStatus.Landed, 1000 + _ids, [new TaskAdded(TaskIds.Format(_ids++))]);
        batch.MarkLanded(result);
        return ValueTask.FromResult(result);
    }
}

/// <summary>Lists tasks that have ended as running.</summary>
internal sealed class UnendingStore : StoreInFront
{
    public override async ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        [.. (await base.ListAsync(query, after, limit, cancellationToken)).Select(static task => task with { State = TaskState.Running, CompletedAt = null })];
}

/// <summary>Stores a success as a cancelling.</summary>
internal sealed class WilfulStore : StoreInFront
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        batch.Mutations[0] is FinishTask
            ? CommitInsteadAsync(batch, static mutation => new FinishTask(((FinishTask)mutation).TaskId, TaskState.Cancelled))
            : base.CommitAsync(batch, cancellationToken);
}

/// <summary>Lets every task have its name, whoever has it already.</summary>
internal sealed class NamelessStore : StoreInFront
{
    private string? _name;

    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Mutations[0] is not AddTask add)
        {
            return base.CommitAsync(batch, cancellationToken);
        }

        _name = add.Name;
        return CommitInsteadAsync(batch, static mutation => (AddTask)mutation with { Name = null });
    }

    public override void OnChange(TaskChange change) => base.OnChange(change with { Task = change.Task with { Name = _name } });
}

/// <summary>Leaves ids out.</summary>
internal sealed class SkippingStore : StoreInFront
{
    private int _next = 5;

    public override async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Mutations[0] is AddTask)
        {
            var skip = new RestoreTasks("hidden", [new TaskSnapshot { TaskId = TaskIds.Format(_next), State = TaskState.Completed }]);
            _next += 5;
            await Inner.CommitAsync(new MutationBatch(new BatchId(batch.Host.Epoch, 100_000 + _next), batch.Host, batch.Time, [skip]), cancellationToken);
        }

        return await base.CommitAsync(batch, cancellationToken);
    }

    public override void OnChange(TaskChange change)
    {
        if (change.Kind != TaskChangeKind.Restored)
        {
            base.OnChange(change);
        }
    }
}

/// <summary>Forgets who a task was spawned from, and perhaps says that it has not.</summary>
internal sealed class RootlessStore(bool tellsTheTruth) : StoreInFront
{
    private readonly Dictionary<string, TaskLineage> _lineages = [];
    private TaskLineage _last = TaskLineage.None;

    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Mutations[0] is not AddTask add)
        {
            return base.CommitAsync(batch, cancellationToken);
        }

        _last = add.Lineage;
        return CommitInsteadAsync(batch, static mutation => (AddTask)mutation with { Lineage = TaskLineage.None });
    }

    public override void OnChange(TaskChange change)
    {
        _lineages.TryAdd(change.Task.TaskId, _last);
        base.OnChange(tellsTheTruth ? change : change with { Task = change.Task with { Lineage = _lineages[change.Task.TaskId] } });
    }
}

/// <summary>Tells nobody of cancel requests.</summary>
internal sealed class SilentStore : StoreInFront
{
    public override void OnCancelRequested(string taskId, long ownerEpoch)
    {
        // Nobody hears of it.
    }
}

/// <summary>Shows mail otherwise than it is.</summary>
internal sealed class MailStore(Func<string, IReadOnlyList<InboxItem>, IEnumerable<InboxItem>> show) : StoreInFront
{
    public override async ValueTask<MailPage> ReadMailAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        var page = await base.ReadMailAsync(threadId, reader, afterSequence, limit, cancellationToken);
        return page with { Items = [.. show(threadId, page.Items)] };
    }

    public override ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<DeadLetter>>([]);
}

/// <summary>Tells nobody that mail has come.</summary>
internal sealed class QuietStore : StoreInFront
{
    public override void OnMail(string threadId, bool wakes, bool hasReader)
    {
        // Nobody hears of it.
    }
}

/// <summary>Ends tasks as orphans whose host lives.</summary>
internal sealed class HastyStore : StoreInFront
{
    public override async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Mutations[0] is FinishTask finish)
        {
            var orphan = new FinishTask(finish.TaskId, TaskState.Failed) { Error = Orphans.Error };
            await Inner.CommitAsync(
                new MutationBatch(new BatchId(batch.Host.Epoch, 200_000 + batch.Id.Number), batch.Host, batch.Time, [orphan]), cancellationToken);
        }

        return await base.CommitAsync(batch, cancellationToken);
    }
}

/// <summary>Lets hosts write that were given up.</summary>
internal sealed class ForgivingStore : StoreInFront
{
    private HostFence _last;

    public override async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        var result = await base.CommitAsync(batch, cancellationToken);
        if (result.Answers is [HostJoined joined])
        {
            _last = joined.Fence;
        }

        return result.Status == CommitStatus.Fenced ? await CommitInsteadAsync(batch, static mutation => mutation, _last) : result;
    }
}

/// <summary>Never says who was given up.</summary>
internal sealed class KindStore : StoreInFront
{
    public override void OnHostFenced(HostFence fence)
    {
        // Nobody hears of it.
    }

    public override async ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken) =>
        [.. (await base.HeartbeatAsync(fence, cancellationToken)).Where(host => host.Fence != fence), new HostStatus(fence, 1, HasLeft: false)];
}

/// <summary>Cannot count.</summary>
internal sealed class MiscountingStore : StoreInFront
{
    public override async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        var result = await base.CommitAsync(batch, cancellationToken);
        return result.Answers is [TasksRestored restored]
            ? new CommitResult(result.Status, result.Revision, [new TasksRestored(restored.Result with { Added = restored.Result.Added + 1 })])
            : result;
    }
}

/// <summary>Takes no end of a task.</summary>
internal sealed class EndlessStore : StoreInFront
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        batch.Mutations[0] is FinishTask
            ? ValueTask.FromResult(new CommitResult(CommitStatus.Refused, 0, [new MoveRefused(TaskState.Running)]))
            : base.CommitAsync(batch, cancellationToken);
}

/// <summary>Keeps conversations as it is told to.</summary>
internal sealed class ConversingStore : StoreInFront
{
    private readonly Dictionary<string, Guid> _readers = [];

    internal Func<AppendConversation, AppendConversation> Written { get; init; } = static append => append;

    internal Func<ConversationPage, ConversationPage> Shown { get; init; } = static page => page;

    internal bool LetsAnybodyWrite { get; init; }

    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        switch (batch.Mutations[0])
        {
            case OpenMailbox open:
                _readers[open.ThreadId] = open.Reader;
                break;
            case AppendConversation append:
                var reader = LetsAnybodyWrite ? _readers[append.ThreadId] : append.Reader;
                return CommitInsteadAsync(batch, mutation => Written((AppendConversation)mutation) with { Reader = reader });
        }

        return base.CommitAsync(batch, cancellationToken);
    }

    public override async ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken) =>
        Shown(await base.ReadConversationAsync(threadId, from, limit, cancellationToken));
}

/// <summary>Forgets the ids of messages at once.</summary>
internal sealed class RepeatingStore : StoreInFront
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        batch.Mutations[0] is PostMessage
            ? CommitInsteadAsync(batch, static mutation => (PostMessage)mutation with { KeepIdFor = null })
            : base.CommitAsync(batch, cancellationToken);
}

/// <summary>Gives each message out twice.</summary>
internal sealed class DoublingStore : StoreInFront
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        batch.Mutations[0] is ClaimOutbox
            ? CommitAnsweringAsync(batch, static answer => answer is OutboxClaimed claimed
                ? new OutboxClaimed([.. claimed.Messages, .. claimed.Messages], claimed.NextDue, claimed.Failed, claimed.Dropped)
                : answer)
            : base.CommitAsync(batch, cancellationToken);
}

/// <summary>Puts what is to go out into another thread's place.</summary>
internal sealed class MisdirectingStore : StoreInFront
{
    public override ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
        batch.Mutations[0] is PostToOutbox
            ? CommitInsteadAsync(batch, static mutation => (PostToOutbox)mutation with { ThreadId = "elsewhere" })
            : base.CommitAsync(batch, cancellationToken);
}
