namespace Coppice.Rows;

/// <summary>Gives work to hosts, and takes it back.</summary>
internal sealed class WorkWriter(BatchContext context, WorkQueue queue, MailPost post, FinishWriter finish)
{
    public WorkClaimed Write(ClaimWork claim)
    {
        var expired = Expire();
        Promote();
        var round = new ClaimRound(context, queue, claim.Kinds);
        var works = new List<WorkHead>();
        while (works.Count < claim.Limit && round.Next(byAge: context.Numbers.PeekClaim() % WorkRules.AgeTurn == 0) is { } next)
        {
            works.Add(Claim(next, claim.AgentReader));
        }

        var claimed = Claimed(works);

        var asked = claim.Kinds.Select(static kind => kind.Kind).ToHashSet(StringComparer.Ordinal);
        var unknown = context.Kinds.WithReady().Where(kind => !asked.Contains(kind)).Order(StringComparer.Ordinal);
        return new WorkClaimed(claimed, NextLook(round), [.. unknown], expired);
    }

    public MutationAnswer Write(HandBackWork handBack)
    {
        if (context.RefuseWork(handBack.TaskId, handBack.Claim, out var task, out var work) is { } refusal)
        {
            return refusal;
        }

        if (task.State != TaskState.Running)
        {
            return new MoveRefused(task.State);
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var events = FinishWriter.NotStored(task, handBack.FirstEvent, handBack.Events);
        if (task.CancelRequested || handBack.CancelledBy is not null)
        {
            finish.NoteCancel(task, handBack.CancelledBy);
            finish.End(task, TaskState.Cancelled, error: null, events);
            return new WorkHandedBack(TaskState.Cancelled);
        }

        if (events.Count > 0)
        {
            finish.Post(task, events);
        }

        if (handBack.Error is { } error)
        {
            context.Work.SetError(work, error);
            work = work with { Failures = work.Failures + 1 };
        }
        else
        {
            work = work with { Attempt = work.Attempt - 1 };
        }

        GiveBack(task, work, handBack.DueAt);
        return new WorkHandedBack(TaskState.Pending);
    }

    /// <summary>Settles a task whose host is gone.</summary>
    /// <returns>Whether it is pending again, and has not ended.</returns>
    public bool TryRecover(in TaskHead task)
    {
        var work = task.Kind is null ? default : context.Work.Head(task.Number);
        if (work.Recovery == RecoveryPolicy.Never)
        {
            finish.End(task, TaskState.Failed, Orphans.Error);
            return false;
        }

        if (task.CancelRequested)
        {
            finish.End(task, TaskState.Cancelled, error: null);
            return false;
        }

        work = work with { Crashes = work.Crashes + 1 };
        if (work.Crashes >= work.MaxCrashes)
        {
            context.Work.Set(work);
            finish.End(task, TaskState.Failed, WorkRules.CrashError(work.Crashes));
            return false;
        }

        GiveBack(task, work, dueAt: null);
        return true;
    }

    private int Expire()
    {
        var expired = context.Work.Expired(context.Time, WorkRules.MaxExpired);
        foreach (var number in expired)
        {
            finish.End(context.Tasks.Head(number)!.Value, TaskState.Failed, WorkRules.DeadlineError);
        }

        return expired.Count;
    }

    private void Promote()
    {
        foreach (var number in context.Work.Due(context.Time, WorkRules.MaxPromoted))
        {
            context.Work.Set(queue.MakeReady(context.Work.Head(number)));
        }
    }

    private WorkHead Claim(long number, Guid agentReader)
    {
        var task = context.Tasks.Head(number)!.Value;
        var work = queue.Claim(context.Work.Head(number));
        context.Tasks.Claim(task, context.Epoch);
        context.Changed(TaskChangeKind.Moved, number);
        if (task.AgentThread is { } agentThread)
        {
            post.Open(context.Threads.Head(agentThread).Id, agentReader, number);
        }

        return work;
    }

    private List<ClaimedWork> Claimed(List<WorkHead> works)
    {
        var tasks = context.Tasks.Snapshots(works.ConvertAll(static work => work.Number));
        var claimed = new List<ClaimedWork>(works.Count);
        for (var i = 0; i < works.Count; i++)
        {
            var work = works[i];
            var checkpoint = work.HasCheckpoint ? context.Steps.Checkpoint(work.Number) : null;
            claimed.Add(new ClaimedWork(tasks[i], work.Claim, work.HasSteps ? context.Steps.Count(work.Number) : 0, checkpoint));
        }

        return claimed;
    }

    /// <summary>Makes work of a host pending again.</summary>
    private void GiveBack(in TaskHead task, in WorkHead work, DateTimeOffset? dueAt)
    {
        queue.Release(work);
        context.Work.Set(queue.Enter(work with { Claim = 0 }, dueAt));
        context.Tasks.GiveBack(task);
        context.Changed(TaskChangeKind.Moved, task.Number);
        post.Vacate(task);
    }

    private DateTimeOffset? NextLook(ClaimRound round)
    {
        var next = context.Work.NextTime();
        if (round.NextStart() is { } start && !(next <= start))
        {
            next = start;
        }

        return next < context.Time ? context.Time : next;
    }
}
