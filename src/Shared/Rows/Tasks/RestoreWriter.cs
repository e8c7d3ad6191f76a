namespace Coppice.Rows;

/// <summary>Takes snapshots in, and forgets old tasks.</summary>
internal sealed class RestoreWriter(BatchContext context, MailPost post)
{
    public MutationAnswer Write(RestoreTasks restore)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var owner = context.Threads.Ensure(restore.OwnerThreadId);
        var (added, skipped) = (0, 0);
        var orphans = new List<MailEvent>();
        foreach (var task in restore.Tasks)
        {
            if (!Add(owner, task, orphans))
            {
                skipped++;
                continue;
            }

            added++;
        }

        if (orphans.Count > 0)
        {
            post.Post(owner, orphans);
        }

        return new TasksRestored(new RestoreResult(added, skipped, orphans.Count));
    }

    public MutationAnswer Write(PruneTasks prune)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        context.Notices.ReadTasks(context.Tasks.Snapshot);
        context.Work.Prune(prune.EndedBefore);
        var count = context.Tasks.Prune(prune.EndedBefore);

        // A cycle in a restored lineage keeps itself on the branch, so those that are there are looked at one by one.
        foreach (var number in context.Tasks.PruneCandidates(prune.EndedBefore))
        {
            if (!HasLiveDescendant(number))
            {
                // The task goes last: it says which thread the other rows belong to.
                context.Work.Remove(number);
                context.Branches.Remove(number);
                context.Tasks.Remove(number);
                count++;
            }
        }

        context.Kinds.Prune();
        return new TasksPruned(count);
    }

    private bool Add(long owner, TaskSnapshot task, List<MailEvent> orphans)
    {
        var number = context.Ids.Ensure(task.TaskId);
        if (TaskIds.TryParse(task.TaskId, out var counted))
        {
            context.Numbers.PassTask(counted);
        }

        if (context.Tasks.Head(number) is not null)
        {
            return false;
        }

        var isOrphan = !task.State.IsTerminal();
        if (isOrphan)
        {
            (task, var mail) = FinishWriter.Orphan(task, context.Time);
            orphans.Add(mail);
        }

        long? parent = string.IsNullOrEmpty(task.Lineage.TaskId) ? null : context.Ids.Ensure(task.Lineage.TaskId);
        long? agentThread = task.AgentThreadId is null ? null : context.Threads.Ensure(task.AgentThreadId);
        long? continues = agentThread is null || task.Continues is null ? null : context.Ids.Ensure(task.Continues);
        long? kind = task.Work is null ? null : context.Kinds.Ensure(task.Work.Kind);
        context.Tasks.Add(number, owner, task, parent, agentThread, continues, kind);
        if (task.Work is { } work)
        {
            context.Work.Add(number, kind!.Value, owner, work);
        }

        context.Branches.Restored(number);
        context.Changed(TaskChangeKind.Restored, number);
        if (isOrphan)
        {
            context.Notices.Add(new Notice.Ended(task.TaskId));
        }

        return true;
    }

    private bool HasLiveDescendant(long number)
    {
        var found = new List<long> { number };
        var seen = new HashSet<long> { number };
        for (var i = 0; i < found.Count; i++)
        {
            if (context.Tasks.Head(found[i]) is { IsLive: true })
            {
                return true;
            }

            var children = new List<long>();
            context.Branches.AddChildren(found[i], children);
            found.AddRange(children.Where(seen.Add));
        }

        return false;
    }
}
