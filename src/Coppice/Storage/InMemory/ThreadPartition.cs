using System.Text.Json;

namespace Coppice;

/// <summary>All that belongs to one thread: its tasks, the names in use and its mail. Guarded by a lock on the partition itself.</summary>
internal sealed class ThreadPartition(string threadId, long order)
{
    private const int SmallList = 256;

    private readonly List<TaskRecord> _tasks = [];
    private Dictionary<string, TaskRecord>? _liveNames;
    private readonly List<TaskRecord> _live = [];
    private List<JsonElement>? _conversation;
    private bool _isUnsorted;
    private volatile int _liveCount;

    internal string ThreadId { get; } = threadId;

    /// <summary>Gets the place in the order in which several partitions are locked.</summary>
    internal long Order { get; } = order;

    internal Mailbox Mail { get; } = new();

    /// <summary>Gets or sets how many live agent tasks have this thread as their own.</summary>
    internal int LiveAgents { get; set; }

    /// <summary>Gets the entries of the conversation, which few threads have.</summary>
    internal List<JsonElement> Conversation => _conversation ??= [];

    internal int ConversationCount => _conversation?.Count ?? 0;

    internal bool HasLive => _liveCount > 0;

    internal bool IsNameTaken(string? name) => name is not null && _liveNames is not null && _liveNames.ContainsKey(name);

    internal void AddLive(TaskRecord task)
    {
        Add(task);
        if (task.Name is not null)
        {
            (_liveNames ??= new(StringComparer.Ordinal)).Add(task.Name, task);
        }

        task.LiveIndex = _live.Count;
        _live.Add(task);
        _liveCount = _live.Count;
    }

    /// <summary>Adds a task that has ended.</summary>
    internal void Add(TaskRecord task)
    {
        _isUnsorted |= _tasks.Count > 0 && TaskCursor.Compare(_tasks[^1].Cursor, task.Cursor) > 0;
        _tasks.Add(task);
    }

    internal void End(TaskRecord task)
    {
        if (task.Name is not null)
        {
            _liveNames!.Remove(task.Name);
        }

        // The last one takes its place.
        var last = _live[^1];
        _live[task.LiveIndex] = last;
        last.LiveIndex = task.LiveIndex;
        _live.RemoveAt(_live.Count - 1);
        task.LiveIndex = -1;
        _liveCount = _live.Count;
        if (_live.Capacity > SmallList && _live.Count < _live.Capacity / 8)
        {
            _live.Capacity /= 4;
        }
    }

    internal List<TaskRecord> Live() => [.. _live];

    /// <summary>Forgets the conversation, and tells how many entries it had.</summary>
    internal int ForgetConversation()
    {
        var count = ConversationCount;
        _conversation = null;
        return count;
    }

    /// <summary>The tasks in the order of lists.</summary>
    internal IReadOnlyList<TaskRecord> InOrder()
    {
        if (_isUnsorted)
        {
            _tasks.Sort(static (left, right) => TaskCursor.Compare(left.Cursor, right.Cursor));
            _isUnsorted = false;
        }

        return _tasks;
    }

    internal void Remove(HashSet<TaskRecord> ended) => _tasks.RemoveAll(ended.Contains);
}
