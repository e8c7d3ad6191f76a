namespace Coppice;

/// <summary>All that belongs to one thread: its tasks, the names in use and its mail. Guarded by a lock on the partition itself.</summary>
internal sealed class ThreadPartition(string threadId, long order)
{
    private readonly List<TaskRecord> _tasks = [];
    private Dictionary<string, TaskRecord>? _liveNames;
    private TaskRecord? _firstLive;
    private bool _isUnsorted;
    private volatile int _liveCount;

    internal string ThreadId { get; } = threadId;

    /// <summary>Gets the place in the order in which several partitions are locked.</summary>
    internal long Order { get; } = order;

    internal Mailbox Mail { get; } = new();

    internal bool HasLive => _liveCount > 0;

    internal bool IsNameTaken(string? name) => name is not null && _liveNames is not null && _liveNames.ContainsKey(name);

    internal void AddLive(TaskRecord task)
    {
        Add(task);
        if (task.Name is not null)
        {
            (_liveNames ??= new(StringComparer.Ordinal)).Add(task.Name, task);
        }

        task.NextLive = _firstLive;
        if (_firstLive is not null)
        {
            _firstLive.PreviousLive = task;
        }

        _firstLive = task;
        _liveCount++;
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

        if (task.PreviousLive is null)
        {
            _firstLive = task.NextLive;
        }
        else
        {
            task.PreviousLive.NextLive = task.NextLive;
        }

        if (task.NextLive is not null)
        {
            task.NextLive.PreviousLive = task.PreviousLive;
        }

        task.NextLive = task.PreviousLive = null;
        _liveCount--;
    }

    internal List<TaskRecord> Live()
    {
        var live = new List<TaskRecord>(_liveCount);
        for (var task = _firstLive; task is not null; task = task.NextLive)
        {
            live.Add(task);
        }

        return live;
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
