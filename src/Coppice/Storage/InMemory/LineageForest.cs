namespace Coppice;

/// <summary>
/// Who hangs below whom, as far as something there is live. One lock guards it: a spawn checks its ancestors and links itself under it,
/// and a cancel walks under it, so nothing escapes in between. Tasks without parent and run never take it.
/// </summary>
internal sealed class LineageForest(Func<string, TaskRecord?> find)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(StumpKind Kind, string Id), Stump> _stumps = [];
    private readonly Dictionary<ThreadPartition, HashSet<TaskRecord>> _deadWood = [];
    private long _visits;

    internal Lock.Scope Enter() => _lock.EnterScope();

    internal static bool Concerns(TaskLineage lineage) => lineage.TaskId is not null || lineage.RunId is not null;

    /// <summary>Whether a task may grow here: the first live ancestor and all ended ones before it have to be free of cancel requests.</summary>
    internal SpawnError? Check(AddTask task)
    {
        if (task.Lineage.TaskId is null)
        {
            return task.MaxDepth < 1 ? SpawnError.TooDeep : null;
        }

        using var _ = Enter();
        var depth = 1;
        var visit = ++_visits;
        var answersForGrowth = true;
        for (LineageNode? node = FindParent(task.Lineage); node is TaskRecord ancestor && node.Visit != visit; node = Resolve(node.Parent))
        {
            node.Visit = visit;
            depth++;
            if (answersForGrowth && ancestor.IsCancelRequested)
            {
                return SpawnError.ParentCancelled;
            }

            answersForGrowth &= !ancestor.IsLive;
            if (!answersForGrowth && depth > task.MaxDepth)
            {
                break;
            }
        }

        return depth > task.MaxDepth ? SpawnError.TooDeep : null;
    }

    internal void Link(TaskRecord task)
    {
        using var _ = Enter();
        task.Parent = NodeAbove(task.Lineage);
        LinkUp(task);
    }

    /// <summary>Gives a task out of a snapshot its place, and what hung below its name as a stranger's.</summary>
    internal void Adopt(TaskRecord restored)
    {
        using var _ = Enter();
        restored.Parent = NodeAbove(restored.Lineage);
        if (!_stumps.Remove((StumpKind.UnknownTask, restored.TaskId), out var stranger))
        {
            return;
        }

        while (stranger.FirstChild is { } child)
        {
            stranger.RemoveChild(child);
            child.Parent = restored;
            LinkUp(child);
        }
    }

    /// <summary>Takes an ended task out, unless something live hangs below it.</summary>
    internal void End(TaskRecord task)
    {
        using var _ = Enter();
        if (task.FirstChild is null)
        {
            Prune(task);
        }
        else
        {
            AddDeadWood(task);
        }
    }

    internal bool HasLiveBelow(TaskRecord task)
    {
        using var _ = Enter();
        return task.FirstChild is not null;
    }

    /// <summary>Requests the cancellation of everything live from these roots down. Adds what it reached, and what it reached first.</summary>
    internal void Fell(IEnumerable<LineageNode> roots, string by, DateTimeOffset at, List<string> reached, List<TaskRecord> first)
    {
        using var _ = Enter();
        var visit = ++_visits;
        var open = new Stack<LineageNode>(roots);
        while (open.TryPop(out var node))
        {
            if (node.Visit == visit)
            {
                continue;
            }

            node.Visit = visit;
            if (node is TaskRecord task && task.RequestCancel(by, at, out var isFirst))
            {
                reached.Add(task.TaskId);
                if (isFirst)
                {
                    first.Add(task);
                }
            }

            for (var child = node.FirstChild; child is not null; child = child.Next == node.FirstChild ? null : child.Next)
            {
                open.Push(child);
            }
        }
    }

    internal LineageNode? FindRun(string runId)
    {
        using var _ = Enter();
        return _stumps.GetValueOrDefault((StumpKind.Run, runId));
    }

    internal LineageNode? FindUnknownTask(string taskId)
    {
        using var _ = Enter();
        return _stumps.GetValueOrDefault((StumpKind.UnknownTask, taskId));
    }

    /// <summary>The ended tasks of a thread with something live below them.</summary>
    internal IReadOnlyCollection<TaskRecord> DeadWoodOf(ThreadPartition thread)
    {
        using var _ = Enter();
        return _deadWood.TryGetValue(thread, out var tasks) ? [.. tasks] : [];
    }

    internal string? FindLiveChild(LineageNode parent, string nameOrTaskId)
    {
        using var _ = Enter();
        if (find(nameOrTaskId) is { IsLive: true } byId && byId.Parent == parent)
        {
            return byId.TaskId;
        }

        for (var child = parent.FirstChild; child is not null; child = child.Next == parent.FirstChild ? null : child.Next)
        {
            if (child is TaskRecord { IsLive: true } task && task.Name == nameOrTaskId)
            {
                return task.TaskId;
            }
        }

        return null;
    }

    private TaskRecord? FindParent(TaskLineage lineage) => lineage.TaskId is { } parentId ? find(parentId) : null;

    private LineageNode? NodeAbove(TaskLineage lineage) => lineage switch
    {
        { TaskId: { } taskId } => Resolve(new Stump(StumpKind.UnknownTask, taskId)),
        { RunId: { } runId } => Resolve(new Stump(StumpKind.Run, runId)),
        _ => null,
    };

    /// <summary>
    /// A stump is only kept while something hangs below it, so a reference to one may be out of date: the task may have come out of a
    /// snapshot since, or another stump may have taken its place.
    /// </summary>
    private LineageNode? Resolve(LineageNode? node)
    {
        if (node is not Stump stump)
        {
            return node;
        }

        return stump.Kind == StumpKind.UnknownTask && find(stump.Id) is { } task
            ? task
            : _stumps.GetValueOrDefault((stump.Kind, stump.Id), stump);
    }

    private void LinkUp(LineageNode node)
    {
        while (!node.IsLinked && Resolve(node.Parent) is { } parent)
        {
            node.Parent = parent;
            parent.AddChild(node);
            switch (parent)
            {
                case Stump stump:
                    _stumps.TryAdd((stump.Kind, stump.Id), stump);
                    break;
                case TaskRecord task when !task.NoteChild():
                    AddDeadWood(task);
                    break;
            }

            node = parent;
        }
    }

    private void Prune(LineageNode node)
    {
        while (!node.IsLive && node.FirstChild is null)
        {
            if (node is TaskRecord task)
            {
                RemoveDeadWood(task);
            }

            if (node is Stump stump)
            {
                _stumps.Remove((stump.Kind, stump.Id));
            }

            if (!node.IsLinked)
            {
                return;
            }

            var parent = node.Parent!;
            parent.RemoveChild(node);
            node = parent;
        }
    }

    private void AddDeadWood(TaskRecord task)
    {
        if (!_deadWood.TryGetValue(task.Owner, out var tasks))
        {
            _deadWood.Add(task.Owner, tasks = []);
        }

        tasks.Add(task);
    }

    private void RemoveDeadWood(TaskRecord task)
    {
        if (_deadWood.TryGetValue(task.Owner, out var tasks) && tasks.Remove(task) && tasks.Count == 0)
        {
            _deadWood.Remove(task.Owner);
        }
    }
}
