namespace Coppice.Sqlite;

/// <summary>Takes snapshots in, and forgets old tasks.</summary>
internal sealed class RestoreWriter(BatchContext context, MailPost post)
{
    public MutationAnswer Write(RestoreTasks restore)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var owner = context.Session.Threads.Ensure(restore.OwnerThreadId);
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

        var session = context.Session;
        context.Notices.ReadTasks(session.Tasks);
        session.Work.Prune(prune.EndedBefore);
        var count = session.Tasks.Prune(prune.EndedBefore);

        // A cycle in a restored lineage keeps itself on the branch, so those that are there are looked at one by one.
        foreach (var number in session.Tasks.PruneCandidates(prune.EndedBefore))
        {
            if (!HasLiveDescendant(number))
            {
                session.Tasks.Remove(number);
                session.Work.Remove(number);
                session.Branches.Remove(number);
                count++;
            }
        }

        session.Kinds.Prune();
        return new TasksPruned(count);
    }

    private bool Add(long owner, TaskSnapshot task, List<MailEvent> orphans)
    {
        var session = context.Session;
        var number = session.Ids.Ensure(task.TaskId, context.Counters);
        if (TaskIds.TryParse(task.TaskId, out var counted))
        {
            context.Counters.NextTask = Math.Max(context.Counters.NextTask, counted + 1);
        }

        if (session.Tasks.Head(number) is not null)
        {
            return false;
        }

        var isOrphan = !task.State.IsTerminal();
        if (isOrphan)
        {
            (task, var mail) = FinishWriter.Orphan(task, context.Time);
            orphans.Add(mail);
        }

        long? parent = string.IsNullOrEmpty(task.Lineage.TaskId) ? null : session.Ids.Ensure(task.Lineage.TaskId, context.Counters);
        long? agentThread = task.AgentThreadId is null ? null : session.Threads.Ensure(task.AgentThreadId);
        long? continues = agentThread is null || task.Continues is null ? null : session.Ids.Ensure(task.Continues, context.Counters);
        long? kind = task.Work is null ? null : session.Kinds.Ensure(task.Work.Kind);
        session.Tasks.Add(number, owner, task, parent, agentThread, continues, kind);
        if (task.Work is { } work)
        {
            session.Work.Add(number, kind!.Value, owner, work);
        }

        session.Branches.Restored(number);
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
            if (context.Session.Tasks.Head(found[i]) is { IsLive: true })
            {
                return true;
            }

            var children = new List<long>();
            context.Session.Branches.AddChildren(found[i], children);
            found.AddRange(children.Where(seen.Add));
        }

        return false;
    }
}
