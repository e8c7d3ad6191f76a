namespace Coppice.Rows;

/// <summary>Requests cancellations.</summary>
internal sealed class CancelWriter(BatchContext context, FinishWriter finish)
{
    public MutationAnswer Write(RequestCancel request)
    {
        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var found = Roots(request);
        var seen = new HashSet<long>(found);
        var reached = new List<string>();
        var waiting = new List<TaskHead>();
        for (var i = 0; i < found.Count; i++)
        {
            if (context.Tasks.Head(found[i]) is { IsLive: true } task)
            {
                reached.Add(Mark(task, request.By));
                if (task.IsWaiting)
                {
                    waiting.Add(task);
                }
            }

            // Also of a task that the store does not know: others may name it as their parent.
            if (request.Scope != CancelScope.Task)
            {
                AddChildren(found[i], found, seen);
            }
        }

        foreach (var task in waiting.OrderBy(static task => task.Number))
        {
            finish.End(task, TaskState.Cancelled, error: null);
        }

        return new CancelReached(reached);
    }

    private List<long> Roots(RequestCancel request)
    {
        var roots = new List<long>();
        switch (request.Scope)
        {
            case CancelScope.Task or CancelScope.Tree when context.Ids.Find(request.Key) is { } number:
                roots.Add(number);
                break;
            case CancelScope.Thread when context.Threads.Find(request.Key) is { } owner:
                context.Tasks.AddLiveOf(owner, roots);
                context.Branches.AddEndedOf(owner, roots);
                roots.Sort();
                break;
            case CancelScope.Run:
                context.Branches.AddRootsOf(request.Key, roots);
                roots.Sort();
                break;
            default:
                break;
        }

        return roots;
    }

    private void AddChildren(long parent, List<long> found, HashSet<long> seen)
    {
        var children = new List<long>();
        context.Branches.AddChildren(parent, children);
        children.Sort();
        foreach (var child in children)
        {
            if (seen.Add(child))
            {
                found.Add(child);
            }
        }
    }

    private string Mark(in TaskHead task, string by)
    {
        var id = context.Ids.IdOf(task.Number);
        if (!task.CancelRequested)
        {
            context.Tasks.RequestCancel(task, context.Time, by);
            context.Changed(TaskChangeKind.CancelRequested, task.Number);
            if (!task.IsWaiting)
            {
                context.Notices.Add(new Notice.CancelRequested(id, task.HostEpoch));
            }
        }

        return id;
    }
}
