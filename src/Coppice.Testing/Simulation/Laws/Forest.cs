namespace Coppice.Testing;

/// <summary>Who was spawned from whom, as far as a history has come: what a cancel has to reach.</summary>
internal sealed class Forest
{
    private readonly Dictionary<string, Tree> _tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Tree>> _children = new(StringComparer.Ordinal);

    internal Tree? Find(string taskId) => _tasks.GetValueOrDefault(taskId);

    internal void Apply(TaskChange change)
    {
        var task = change.Task;
        switch (change.Kind)
        {
            case TaskChangeKind.Spawned or TaskChangeKind.Restored:
                var tree = new Tree(task.TaskId, task.OwnerThreadId, task.Lineage) { IsLive = !task.State.IsTerminal(), IsRequested = task.CancelRequestedAt is not null };
                if (_tasks.TryAdd(task.TaskId, tree) && task.Lineage.TaskId is { } parent)
                {
                    if (!_children.TryGetValue(parent, out var siblings))
                    {
                        _children.Add(parent, siblings = []);
                    }

                    siblings.Add(tree);
                }

                break;
            case TaskChangeKind.CancelRequested when Find(task.TaskId) is { } found:
                found.IsRequested = true;
                break;
            case TaskChangeKind.Ended when Find(task.TaskId) is { } found:
                found.IsLive = false;
                break;
        }
    }

    /// <summary>The store has forgotten all but some. What was spawned from one that is forgotten has nothing above it any more.</summary>
    internal void Forget(HashSet<string> left)
    {
        foreach (var id in _tasks.Keys.Where(id => !left.Contains(id)).ToList())
        {
            _tasks.Remove(id);
        }

        foreach (var siblings in _children.Values)
        {
            siblings.RemoveAll(tree => !left.Contains(tree.Id));
        }
    }

    /// <summary>The live tasks that a cancel covers.</summary>
    internal HashSet<string> Covered(RequestCancel cancel)
    {
        var roots = cancel.Scope switch
        {
            CancelScope.Thread => _tasks.Values.Where(task => task.ThreadId == cancel.Key).Select(static task => task.Id),
            CancelScope.Run => _tasks.Values.Where(task => task.Lineage.TaskId is null && task.Lineage.RunId == cancel.Key).Select(static task => task.Id),
            _ => [cancel.Key],
        };
        var seen = new HashSet<string>(roots, StringComparer.Ordinal);
        var open = new Queue<string>(cancel.Scope == CancelScope.Task ? [] : seen);
        while (open.TryDequeue(out var parent))
        {
            foreach (var child in _children.GetValueOrDefault(parent) ?? [])
            {
                if (seen.Add(child.Id))
                {
                    open.Enqueue(child.Id);
                }
            }
        }

        seen.RemoveWhere(id => Find(id) is not { IsLive: true });
        return seen;
    }

    /// <summary>The parent, or the ended ancestor, whose cancel request forbids a child; nothing beyond the first live one counts.</summary>
    internal string? Forbids(TaskLineage lineage)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var at = lineage.TaskId; at is not null && seen.Add(at) && Find(at) is { } task; at = task.Lineage.TaskId)
        {
            if (task.IsRequested)
            {
                return task.Id;
            }

            if (task.IsLive)
            {
                return null;
            }
        }

        return null;
    }

    internal sealed record Tree(string Id, string ThreadId, TaskLineage Lineage)
    {
        internal bool IsLive { get; set; }

        internal bool IsRequested { get; set; }
    }
}
