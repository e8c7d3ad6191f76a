namespace Coppice;

/// <summary>
/// Who hangs below whom, as far as something there is live. One lock guards it: a spawn checks its ancestors and links itself under it,
/// and a cancel walks under it, so nothing escapes in between. Tasks without parent and run take it only while something hangs below a task that is unknown.
/// </summary>
internal sealed class LineageForest(Func<string, TaskRecord?> find)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(StumpKind Kind, string Id), Stump> _stumps = [];
    private readonly Dictionary<ThreadPartition, HashSet<TaskRecord>> _deadWood = [];
    private long _visits;
    private bool _mayHaveRings;
    private int _strangers;

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
        for (LineageNode? node = NodeOf(task.Lineage.TaskId); node is TaskNode { Task: var ancestor } && node.Visit != visit; node = Above(node))
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
        LinkUp(NodeOf(task));
    }

    /// <summary>Gets whether something hangs below a task that the store does not know.</summary>
    internal bool HasStrangers => Volatile.Read(ref _strangers) > 0;

    /// <summary>Gives a task that the store knows from now on what hung below its id before.</summary>
    internal void Adopt(TaskRecord known)
    {
        using var _ = Enter();
        _mayHaveRings |= known.Lineage.TaskId is not null;
        if (!_stumps.TryGetValue((StumpKind.UnknownTask, known.TaskId), out var stranger))
        {
            return;
        }

        RemoveStump(stranger);
        while (stranger.FirstChild is { } child)
        {
            stranger.RemoveChild(child);
            LinkUp(child);
        }
    }

    /// <summary>Takes an ended task out, unless something live hangs below it.</summary>
    internal void End(TaskRecord task)
    {
        using var _ = Enter();
        if (task.Node is not { } node)
        {
            return;
        }

        if (node.FirstChild is not null)
        {
            AddDeadWood(task);
        }

        Prune(node);
    }

    internal bool HasLiveBelow(TaskRecord task)
    {
        using var _ = Enter();
        return task.Node?.FirstChild is not null;
    }

    /// <summary>
    /// Requests the cancellation of everything live from these tasks, or from this stump, down. Adds what it reached, and what it reached first.
    /// </summary>
    internal void Fell(
        IEnumerable<TaskRecord> tasks, Stump? stump, string by, DateTimeOffset at, List<TaskRecord> reached, List<TaskRecord> first)
    {
        using var _ = Enter();
        var visit = ++_visits;
        var open = new Stack<LineageNode>();
        if (stump is not null)
        {
            open.Push(stump);
        }

        foreach (var task in tasks)
        {
            if (task.Node is { } node)
            {
                open.Push(node);
            }
            else
            {
                Request(task);
            }
        }

        while (open.TryPop(out var node))
        {
            if (node.Visit == visit)
            {
                continue;
            }

            node.Visit = visit;
            if (node is TaskNode { Task: var task })
            {
                Request(task);
            }

            PushChildren(node, open);
        }

        void Request(TaskRecord task)
        {
            if (task.RequestCancel(by, at, out var isFirst))
            {
                reached.Add(task);
                if (isFirst)
                {
                    first.Add(task);
                }
            }
        }
    }

    internal Stump? FindRun(string runId)
    {
        using var _ = Enter();
        return _stumps.GetValueOrDefault((StumpKind.Run, runId));
    }

    internal Stump? FindUnknownTask(string taskId)
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

    internal string? FindLiveChild(TaskLineage lineage, string nameOrTaskId)
    {
        using var _ = Enter();
        LineageNode? known = lineage switch
        {
            { TaskId: { } taskId } => find(taskId) is { } task ? task.Node : FindUnknownTask(taskId),
            { RunId: { } runId } => FindRun(runId),
            _ => null,
        };
        if (known is not { } parent)
        {
            return null;
        }

        if (find(nameOrTaskId) is { IsLive: true } byId && byId.Node?.Parent == parent)
        {
            return byId.TaskId;
        }

        for (var child = parent.FirstChild; child is not null; child = child.Next == parent.FirstChild ? null : child.Next)
        {
            if (child is TaskNode { Task: { IsLive: true } named } && named.Name == nameOrTaskId)
            {
                return named.TaskId;
            }
        }

        return null;
    }

    /// <summary>What a node hangs below, or would.</summary>
    private LineageNode? Above(LineageNode node) => node.Parent ?? (node as TaskNode)?.Task.Lineage switch
    {
        { TaskId: { } taskId } => (LineageNode?)NodeOf(taskId) ?? StumpFor(StumpKind.UnknownTask, taskId),
        { RunId: { } runId } => StumpFor(StumpKind.Run, runId),
        _ => null,
    };

    private TaskNode? NodeOf(string taskId) => find(taskId) is { } task ? NodeOf(task) : null;

    private static TaskNode NodeOf(TaskRecord task) => task.Node ??= new TaskNode(task);

    /// <summary>A stump is only kept while something hangs below it.</summary>
    private Stump StumpFor(StumpKind kind, string id) => _stumps.GetValueOrDefault((kind, id)) ?? new Stump(kind, id);

    private void LinkUp(LineageNode node)
    {
        while (!node.IsLinked && Above(node) is { } parent)
        {
            parent.AddChild(node);
            switch (parent)
            {
                case Stump stump:
                    AddStump(stump);
                    break;
                case TaskNode { Task: var task } when !task.NoteChild():
                    AddDeadWood(task);
                    break;
            }

            node = parent;
        }
    }

    private void AddStump(Stump stump)
    {
        if (!_stumps.TryAdd((stump.Kind, stump.Id), stump) || stump.Kind == StumpKind.Run)
        {
            return;
        }

        // Whoever adds that very task looks for strangers after it can be found, so one of the two sees the other.
        Interlocked.Increment(ref _strangers);
        if (find(stump.Id) is { } known)
        {
            Adopt(known);
        }
    }

    private void RemoveStump(Stump stump)
    {
        if (_stumps.Remove((stump.Kind, stump.Id)) && stump.Kind == StumpKind.UnknownTask)
        {
            Interlocked.Decrement(ref _strangers);
        }
    }

    private void Prune(LineageNode node)
    {
        while (!node.IsLive && (node.FirstChild is null || IsRing(node)))
        {
            switch (node)
            {
                case TaskNode { Task: var task }:
                    Drop(task);
                    break;
                case Stump stump:
                    RemoveStump(stump);
                    break;
            }

            if (node.Parent is not { } parent)
            {
                return;
            }

            parent.RemoveChild(node);
            node = parent;
        }
    }

    /// <summary>
    /// Whether all that hangs below a node has ended: with restored tasks lineages may have cycles, which would hold each other there for
    /// ever. If so it is taken apart.
    /// </summary>
    private bool IsRing(LineageNode node)
    {
        if (!_mayHaveRings)
        {
            return false;
        }

        var visit = ++_visits;
        var below = new List<LineageNode>();
        var open = new Stack<LineageNode>([node]);
        while (open.TryPop(out var next))
        {
            if (next.IsLive)
            {
                return false;
            }

            if (next.Visit != visit)
            {
                next.Visit = visit;
                below.Add(next);
                PushChildren(next, open);
            }
        }

        foreach (var each in below)
        {
            while (each.FirstChild is { } child)
            {
                each.RemoveChild(child);
            }

            if (each is TaskNode { Task: var task })
            {
                Drop(task);
            }
        }

        return true;
    }

    private static void PushChildren(LineageNode node, Stack<LineageNode> open)
    {
        for (var child = node.FirstChild; child is not null; child = child.Next == node.FirstChild ? null : child.Next)
        {
            open.Push(child);
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

    /// <summary>Forgets the place of a task that has ended, with nothing live below it.</summary>
    private void Drop(TaskRecord task)
    {
        task.Node = null;
        if (_deadWood.TryGetValue(task.Owner, out var tasks) && tasks.Remove(task) && tasks.Count == 0)
        {
            _deadWood.Remove(task.Owner);
        }
    }
}
