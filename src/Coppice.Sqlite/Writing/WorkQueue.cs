namespace Coppice.Sqlite;

/// <summary>Keeps lanes and kinds in step with the work that is ready and running.</summary>
internal sealed class WorkQueue(BatchContext context)
{
    /// <summary>Makes work pending: ready, or waiting for its time. The caller stores it.</summary>
    public WorkHead Enter(in WorkHead work, DateTimeOffset? dueAt)
    {
        var due = dueAt?.ToUnixTimeMilliseconds() is { } ms && ms > context.Time.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : (DateTimeOffset?)null;
        var kind = context.Session.Kinds.Head(work.Kind).Name;
        context.Notices.Add(new Notice.Work(kind, due));
        if (work.Deadline is { } deadline)
        {
            context.Notices.Add(new Notice.Work(kind, deadline));
        }

        return due is null ? MakeReady(work) : work with { DueAt = due };
    }

    /// <summary>Puts work at the end of its lane. The caller stores it.</summary>
    public WorkHead MakeReady(in WorkHead work)
    {
        context.Session.Kinds.Changing(work.Kind).Ready++;
        var lane = context.Session.Lanes.Changing(work.Lane);
        if (lane.Ready++ == 0)
        {
            (lane.Priority, lane.Version, lane.Turn) = (work.Priority, work.Version, NextTurn());
        }
        else
        {
            (lane.Priority, lane.Version) = (Math.Max(lane.Priority, work.Priority), Math.Min(lane.Version, work.Version));
        }

        return work with { Rank = NextTurn(), DueAt = null };
    }

    /// <summary>Gives ready work to a host.</summary>
    public WorkHead Claim(in WorkHead work)
    {
        var claimed = work with { Rank = null, Claim = ++context.Counters.LastClaim, Attempt = work.Attempt + 1 };
        context.Session.Work.Set(claimed);
        TakeOut(work);
        context.Session.Kinds.Changing(work.Kind).Running++;
        var lane = context.Session.Lanes.Changing(work.Lane);
        (lane.Running, lane.Turn) = (lane.Running + 1, NextTurn());
        return claimed;
    }

    /// <summary>Work that a host had runs no more.</summary>
    public void Release(in WorkHead work)
    {
        context.Session.Lanes.Changing(work.Lane).Running--;
        var kind = context.Session.Kinds.Changing(work.Kind);
        kind.Running--;
        if (kind.Ready > 0)
        {
            context.Notices.Add(new Notice.Work(kind.Name, null));
        }
    }

    /// <summary>Lets go of the work of a task that ends.</summary>
    public void End(long task)
    {
        var work = context.Session.Work.Head(task);
        context.Session.Steps.Remove(work);
        context.Session.Work.End(work with { Rank = null, DueAt = null, HasSteps = false, HasCheckpoint = false });
        if (!work.IsPending)
        {
            Release(work);
        }
        else if (work.Rank is not null)
        {
            TakeOut(work);
        }
    }

    private void TakeOut(in WorkHead work)
    {
        context.Session.Kinds.Changing(work.Kind).Ready--;
        var lane = context.Session.Lanes.Changing(work.Lane);
        lane.Ready--;
        if (lane.Ready > 0 && (work.Priority == lane.Priority || work.Version == lane.Version))
        {
            Measure(lane);
        }
    }

    private void Measure(LaneHead lane)
    {
        var isFirst = true;
        for (var next = context.Session.Work.First(lane.Number, int.MinValue); next is { } ready; next = context.Session.Work.First(lane.Number, ready.Version))
        {
            lane.Version = isFirst ? ready.Version : lane.Version;
            lane.Priority = isFirst ? ready.Priority : Math.Max(lane.Priority, ready.Priority);
            isFirst = false;
        }
    }

    private long NextTurn() => ++context.Counters.LastTurn;
}
