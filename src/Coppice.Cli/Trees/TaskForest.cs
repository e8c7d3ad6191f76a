using Coppice.Cli.Stores;

namespace Coppice.Cli.Trees;

/// <summary>
/// Puts tasks together as trees. A restored lineage may run in a circle, name tasks that are not there, or be deeper than any that was
/// spawned.
/// </summary>
internal static class TaskForest
{
    private const int MaxDepth = 256;

    /// <summary>All trees of a store. A task whose parent is not in the store is a root; of a circle the oldest task is.</summary>
    public static async Task<IReadOnlyList<TaskNode>> LoadAsync(TaskReader reader, bool withResults, CancellationToken cancellationToken)
    {
        var nodes = new List<TaskNode>();
        await foreach (var task in reader.QueryAsync(new TaskQuery(), cancellationToken))
        {
            nodes.Add(new TaskNode(withResults ? task : task with { Result = null }));
        }

        return Link(nodes);
    }

    /// <summary>The tree beneath one task.</summary>
    public static async Task<TaskNode> LoadAsync(TaskReader reader, TaskSnapshot root, CancellationToken cancellationToken)
    {
        var top = new TaskNode(root);
        var seen = new HashSet<string>(StringComparer.Ordinal) { root.TaskId };
        var waiting = new Queue<(TaskNode Node, int Depth)>([(top, 1)]);
        while (waiting.TryDequeue(out var next))
        {
            await foreach (var child in reader.ChildrenAsync(next.Node.Task.TaskId, cancellationToken))
            {
                if (next.Depth < MaxDepth && seen.Add(child.TaskId))
                {
                    var node = new TaskNode(child);
                    next.Node.Children.Add(node);
                    waiting.Enqueue((node, next.Depth + 1));
                }
            }
        }

        return top;
    }

    /// <summary>Links tasks that are given oldest first.</summary>
    public static IReadOnlyList<TaskNode> Link(IReadOnlyList<TaskNode> nodes)
    {
        var ids = nodes.Select(node => node.Task.TaskId).ToHashSet(StringComparer.Ordinal);
        var children = nodes.ToLookup(node => node.Task.Lineage.TaskId ?? "", StringComparer.Ordinal);
        var placed = new HashSet<TaskNode>();
        var roots = nodes.Where(node => !ids.Contains(node.Task.Lineage.TaskId ?? "")).ToList();
        foreach (var root in roots)
        {
            Grow(root, children, placed);
        }

        // What no root leads to hangs on a circle, or is beneath the deepest level.
        foreach (var node in nodes)
        {
            if (!placed.Contains(node))
            {
                roots.Add(node);
                Grow(node, children, placed);
            }
        }

        return roots;
    }

    private static void Grow(TaskNode root, ILookup<string, TaskNode> children, HashSet<TaskNode> placed)
    {
        placed.Add(root);
        var waiting = new Queue<(TaskNode Node, int Depth)>([(root, 1)]);
        while (waiting.TryDequeue(out var next))
        {
            if (next.Depth == MaxDepth)
            {
                continue;
            }

            foreach (var child in children[next.Node.Task.TaskId])
            {
                if (placed.Add(child))
                {
                    next.Node.Children.Add(child);
                    waiting.Enqueue((child, next.Depth + 1));
                }
            }
        }
    }
}
