namespace Coppice.Rows;

/// <summary>Keeps lanes and kinds in step with the work that is ready and running.</summary>
internal sealed class WorkQueue(BatchContext context)
{
    /// <summary>Makes work pending: ready, or waiting for its time. The caller stores it.</summary>
    public WorkHead Enter(in WorkHead work, DateTimeOffset? dueAt)
    {
        var due = dueAt?.ToUnixTimeMilliseconds() is { } ms && ms > context.Time.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : (DateTimeOffset?)null;
        var kind = context.Kinds.NameOf(work.Kind);
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
        context.Kinds.MadeReady(work.Kind);
        var lane = context.Lanes.Changing(work.Lane);
        if (lane.Ready++ == 0)
        {
            (lane.Priority, lane.Version, lane.Turn) = (work.Priority, work.Version, NextTurn());
            (lane.Queues ??= new List<ReadyQueue>(1)).Clear();
        }
        else
        {
            (lane.Priority, lane.Version) = (Math.Max(lane.Priority, work.Priority), Math.Min(lane.Version, work.Version));
        }

        var rank = NextTurn();
        if (lane.Queues is { } queues)
        {
            Enter(queues, new ReadyWork(work.Number, work.Version, work.Priority, rank));
        }

        return work with { Rank = rank, DueAt = null };
    }

    /// <summary>The ready task of a lane that goes first.</summary>
    /// <param name="lane">A lane that has one of a version that is known.</param>
    /// <param name="maxVersion">The newest version that is known.</param>
    /// <param name="byAge">Whether it is the one that has been ready longest, whatever its priority.</param>
    public long First(LaneHead lane, int maxVersion, bool byAge)
    {
        ReadyWork? best = null;
        foreach (var queue in Queues(lane))
        {
            if (queue.Version > maxVersion)
            {
                break;
            }

            var next = byAge ? queue.Longest ?? context.Work.Longest(lane.Number, queue.Version)!.Value : queue.First;
            best = best is not { } other || (byAge ? next.Rank < other.Rank : next.GoesBefore(other)) ? next : other;
        }

        return best!.Value.Number;
    }

    /// <summary>Gives ready work to a host.</summary>
    public WorkHead Claim(in WorkHead work)
    {
        var claimed = work with { Rank = null, Claim = context.Numbers.NextClaim(), Attempt = work.Attempt + 1 };
        context.Work.Set(claimed);
        TakeOut(work);
        context.Kinds.Began(work.Kind);
        var lane = context.Lanes.Changing(work.Lane);
        lane.Turn = NextTurn();
        context.Lanes.Began(lane);
        return claimed;
    }

    /// <summary>Work that a host had runs no more.</summary>
    public void Release(in WorkHead work)
    {
        context.Lanes.Stopped(context.Lanes.Changing(work.Lane));
        context.Kinds.Stopped(work.Kind);
        if (context.Kinds.HasReady(work.Kind))
        {
            context.Notices.Add(new Notice.Work(context.Kinds.NameOf(work.Kind), null));
        }
    }

    /// <summary>Lets go of the work of a task that ends.</summary>
    public void End(long task)
    {
        var work = context.Work.Head(task);
        context.Steps.Remove(work);
        context.Work.End(work with { Rank = null, DueAt = null, HasSteps = false, HasCheckpoint = false });
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
        context.Kinds.TakenOut(work.Kind);
        var lane = context.Lanes.Changing(work.Lane);
        if (--lane.Ready == 0)
        {
            return;
        }

        var queues = Queues(lane);
        var (number, version) = (work.Number, work.Version);
        if (queues.Find(queue => queue.Version == version) is { } queue)
        {
            queue.Remove(number);
            Fill(queue, lane.Number);
            if (queue.IsEmpty)
            {
                queues.Remove(queue);
            }
        }

        (lane.Version, lane.Priority) = (queues[0].Version, queues.Max(static queue => queue.First.Priority));
    }

    /// <summary>The ready tasks of a lane by their versions.</summary>
    private List<ReadyQueue> Queues(LaneHead lane)
    {
        if (lane.Queues is not { } queues)
        {
            lane.Queues = queues = [];
            for (var next = context.Work.First(lane.Number, int.MinValue); next is { } first; next = context.Work.First(lane.Number, first.Version))
            {
                var queue = new ReadyQueue(first.Version);
                queue.Read([first], isAll: false);
                queues.Add(queue);
            }
        }

        return queues;
    }

    private void Fill(ReadyQueue queue, long lane)
    {
        if (queue.NeedsPage)
        {
            var page = context.Work.Ready(lane, queue.Version, ReadyQueue.Page);
            queue.Read(page, isAll: page.Count < ReadyQueue.Page);
        }
    }

    /// <summary>Takes in a task that has just become ready.</summary>
    private static void Enter(List<ReadyQueue> queues, in ReadyWork ready)
    {
        var version = ready.Version;
        var place = queues.FindIndex(queue => queue.Version >= version);
        if (place < 0 || queues[place].Version > version)
        {
            place = place < 0 ? queues.Count : place;
            queues.Insert(place, new ReadyQueue(version));
        }

        queues[place].Add(ready);
    }

    private long NextTurn() => context.Numbers.NextTurn();
}
