using System.Text.Json;

namespace Coppice.Cli.Survey;

/// <summary>
/// The tree of tasks as the change feed tells it. It keeps what is live, the way up from there, and the latest that ended; so it stays
/// small however many folders there are. Safe for concurrent use.
/// </summary>
internal sealed class SurveyBoard
{
    private const int EndedKept = 500;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, BoardNode> _nodes = new(StringComparer.Ordinal);
    private readonly LinkedList<BoardNode> _ended = new();
    private long _order;

    /// <summary>Gets the survey's own progress, once it has told any.</summary>
    public SurveyProgress? Progress { get; private set; }

    /// <summary>Gets how many changes there were.</summary>
    public long Version { get; private set; }

    public void Apply(TaskChange change)
    {
        lock (_gate)
        {
            Version++;
            switch (change.Kind)
            {
                case TaskChangeKind.Emitted when change.Event is { EventType: FolderTask.ProgressEvent } progress:
                    Advance(change.Task, progress.Payload);
                    break;
                case TaskChangeKind.Ended:
                    End(change.Task);
                    break;
                default:
                    Node(change.Task);
                    break;
            }
        }
    }

    /// <summary>Forgets everything, to begin anew from what is live now.</summary>
    public void Reset(IEnumerable<TaskSnapshot> live)
    {
        lock (_gate)
        {
            Version++;
            _nodes.Clear();
            _ended.Clear();
            foreach (var task in live)
            {
                Node(task);
            }
        }
    }

    /// <summary>Up to <paramref name="count"/> tasks: the live ones and the way up to them, filled up with the latest that ended. Parents come before their children.</summary>
    public IReadOnlyList<BoardNode> Visible(int count)
    {
        lock (_gate)
        {
            var shown = new HashSet<BoardNode>();
            foreach (var node in _nodes.Values.Where(node => node.IsLive).OrderBy(node => node.Order))
            {
                ShowWithParents(node, shown, count);
            }

            foreach (var node in _ended)
            {
                ShowWithParents(node, shown, count);
            }

            return [.. shown.OrderBy(node => node.Order)];
        }
    }

    private static void ShowWithParents(BoardNode node, HashSet<BoardNode> shown, int count)
    {
        var missing = new List<BoardNode>();
        for (var at = node; at is not null && !shown.Contains(at); at = at.Parent)
        {
            missing.Add(at);
        }

        if (shown.Count + missing.Count <= count)
        {
            shown.UnionWith(missing);
        }
    }

    private BoardNode Node(TaskSnapshot task)
    {
        if (_nodes.TryGetValue(task.TaskId, out var known))
        {
            return known;
        }

        var parent = task.Lineage.TaskId is { } parentId ? _nodes.GetValueOrDefault(parentId) : null;
        var node = new BoardNode(task.TaskId, task.Name ?? task.TaskId, parent, _order++);
        _nodes.Add(task.TaskId, node);
        CountAbove(node, 1);
        return node;
    }

    private void Advance(TaskSnapshot task, JsonElement payload)
    {
        if (task.Type == FolderTask.Type)
        {
            Node(task).Progress = payload.Deserialize(SurveyJson.Default.FolderProgress);
        }
        else
        {
            Node(task);
            Progress = payload.Deserialize(SurveyJson.Default.SurveyProgress);
        }
    }

    private void End(TaskSnapshot task)
    {
        var node = Node(task);
        if (!node.IsLive)
        {
            return;
        }

        node.State = task.State;
        CountAbove(node, -1);
        if (task is { Type: FolderTask.Type, State: TaskState.Completed, Result: { } result })
        {
            node.Result = result.Deserialize(SurveyJson.Default.FolderResult) is { } counted ? counted with { Kinds = [], Problems = [] } : null;
        }

        _ended.AddFirst(node);
        if (_ended.Count > EndedKept)
        {
            Forget();
        }
    }

    private void Forget()
    {
        for (var at = _ended.Last; at is not null; at = at.Previous)
        {
            if (at.Value.LiveBelow == 0)
            {
                _nodes.Remove(at.Value.TaskId);
                _ended.Remove(at);
                return;
            }
        }
    }

    private static void CountAbove(BoardNode node, int difference)
    {
        for (var above = node.Parent; above is not null; above = above.Parent)
        {
            above.LiveBelow += difference;
        }
    }
}
