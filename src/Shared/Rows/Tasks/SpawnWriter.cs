namespace Coppice.Rows;

/// <summary>Adds tasks.</summary>
internal sealed class SpawnWriter(BatchContext context, MailPost post, WorkQueue queue)
{
    // Only a restored snapshot can hold a longer chain; past this a spawn is judged by what was seen.
    private const int LongestClimb = 10_000;

    public MutationAnswer Write(AddTask task)
    {
        if (task.Work?.IdempotencyKey is { } key && FindByKey(task, key) is { } known)
        {
            return known;
        }

        var parent = task.Lineage.TaskId is { } parentId ? context.Ids.Find(parentId) : null;
        if (RefuseByAncestors(parent, task.MaxDepth) is { } refusal)
        {
            return new AddRefused(refusal);
        }

        if (task.Name is not null
            && context.Threads.Find(task.OwnerThreadId) is { } owner
            && context.Tasks.HasLiveName(owner, task.Name))
        {
            return new AddRefused(SpawnError.DuplicateName);
        }

        if (RefuseToContinue(task) is { } continued)
        {
            return new AddRefused(continued);
        }

        return context.Applying ? Add(task, parent) : NotApplied.Instance;
    }

    private MutationAnswer? FindByKey(AddTask task, string key)
    {
        if (context.Threads.Find(task.OwnerThreadId) is not { } owner || context.Work.FindByKey(owner, key) is not { } number)
        {
            return null;
        }

        if (context.IsNew(number) || context.Kinds.NameOf(context.Work.Head(number).Kind) != task.Work!.Kind)
        {
            return new AddRefused(SpawnError.IdempotencyKeyReused);
        }

        return context.Applying ? new TaskAdded(context.Ids.IdOf(number)) { WasKnown = true } : NotApplied.Instance;
    }

    /// <summary>
    /// The parent and its ended ancestors up to the first live one must not have a cancel request; the distinct ancestors and the task
    /// itself must not be more than the depth allows.
    /// </summary>
    private SpawnError? RefuseByAncestors(long? parent, int maxDepth)
    {
        var seen = new HashSet<long>();
        var depth = 1;
        var underCancel = true;
        for (var next = parent; next is { } number && depth <= LongestClimb && seen.Add(number);)
        {
            if (context.Tasks.Head(number) is not { } ancestor)
            {
                break;
            }

            depth++;
            if (underCancel && ancestor.CancelRequested)
            {
                return SpawnError.ParentCancelled;
            }

            underCancel &= !ancestor.IsLive;
            if (!underCancel && depth > maxDepth)
            {
                break;
            }

            next = ancestor.Parent;
        }

        return depth > maxDepth ? SpawnError.TooDeep : null;
    }

    /// <summary>
    /// What is continued has to be an agent of the same owner, on the thread that is asked for, and that thread has to be free.
    /// </summary>
    private SpawnError? RefuseToContinue(AddTask task)
    {
        if (task.Continues is null)
        {
            return null;
        }

        if (context.Ids.Find(task.Continues) is not { } number
            || context.Tasks.Head(number) is not { AgentThread: { } thread } before
            || context.Threads.Find(task.OwnerThreadId) != before.Owner
            || task.AgentThreadId is null || context.Threads.Find(task.AgentThreadId) != thread)
        {
            return SpawnError.ContinuesUnknown;
        }

        return context.Tasks.HasLiveAgent(thread) ? SpawnError.AgentBusy : null;
    }

    private TaskAdded Add(AddTask task, long? parent)
    {
        var owner = context.Threads.Ensure(task.OwnerThreadId);
        var (number, id) = NextId();
        parent ??= task.Lineage.TaskId is { } parentId ? context.Ids.Ensure(parentId) : null;
        long? agentThread = task.AgentThreadId is { } threadId ? context.Threads.Ensure(threadId) : null;
        long? continues = agentThread is null || task.Continues is null ? null : context.Ids.Find(task.Continues);
        var head = new TaskHead(
            number, owner, task.State, CancelRequested: false, parent, context.Epoch, EventsThrough: 0, agentThread, AgentOpen: agentThread is not null, Kind: null);
        WorkHead? work = null;
        if (task.Work is { } added)
        {
            work = AddWork(number, owner, added);
            head = head with { State = TaskState.Pending, HostEpoch = 0, Kind = work.Value.Kind };
        }

        context.Tasks.Add(head, id, task, context.Time, continues, work);
        context.Branches.Spawned(number, owner, parent, task.Name, task.Lineage.RunId);
        context.Changed(TaskChangeKind.Spawned, number);
        if (task.AgentThreadId is not null && task.Work is null)
        {
            post.Open(task.AgentThreadId, task.AgentReader, number);
        }

        return new TaskAdded(id);
    }

    private WorkHead AddWork(long number, long owner, NewWork work)
    {
        var kind = context.Kinds.Ensure(work.Kind);
        var head = queue.Enter(WorkHead.Of(number, kind, context.Lanes.NumberOf(kind, owner), work), work.DueAt);
        context.Work.Add(head, owner, work);
        if (work.IdempotencyKey is not null)
        {
            context.NoteKeyed(number);
        }

        return head;
    }

    private (long Number, string Id) NextId()
    {
        while (true)
        {
            var count = context.Numbers.NextTask();
            var id = TaskIds.Format(count);
            if (count <= TaskIds.MaxCounted)
            {
                return (count, id);
            }

            // Past what an id can count, the text is an id like any other, and a snapshot may have brought it already.
            var number = context.Ids.Ensure(id);
            if (context.Tasks.Head(number) is null)
            {
                return (number, id);
            }
        }
    }
}
