using System.Text.Json;

namespace Coppice;

/// <summary>All that belongs to one thread: its tasks, the names in use and its mail. Guarded by a lock on the partition itself.</summary>
internal sealed class ThreadPartition(string threadId, long order)
{
    private const int SmallList = 256;

    private readonly List<TaskRecord> _tasks = [];
    private Dictionary<string, TaskRecord>? _liveNames;
    private readonly List<TaskRecord> _owned = [];
    private List<TaskRecord>? _waiting;
    private Dictionary<string, TaskRecord>? _keys;
    private List<JsonElement>? _conversation;
    private bool _isUnsorted;
    private volatile int _liveCount;

    internal string ThreadId { get; } = threadId;

    /// <summary>Gets the place in the order in which several partitions are locked.</summary>
    internal long Order { get; } = order;

    internal Mailbox Mail { get; } = new();

    /// <summary>Gets or sets how many live agent tasks have this thread as their own.</summary>
    internal int LiveAgents { get; set; }

    /// <summary>Gets or sets how many of these wait for a host, so that no reader can be there.</summary>
    internal int WaitingAgents { get; set; }

    /// <summary>Gets whether the mail has a reader, or an agent that will read it once a host has it.</summary>
    internal bool IsAttended => Mail.HasReader || WaitingAgents > 0;

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

        if (task.Work?.Key is { } key)
        {
            (_keys ??= new(StringComparer.Ordinal)).Add(key, task);
        }

        Add(ListOf(task), task);
        _liveCount++;
    }

    /// <summary>The task, live or ended, that was added with a key.</summary>
    internal TaskRecord? Find(string key) => _keys?.GetValueOrDefault(key);

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

        Remove(ListOf(task), task);
        task.LiveIndex = -1;
        _liveCount--;
    }

    /// <summary>Notes that a host has a task, or that it waits for one again.</summary>
    internal void SetWaiting(TaskRecord task, bool isWaiting)
    {
        Remove(ListOf(task), task);
        task.Work!.IsWaiting = isWaiting;
        Add(ListOf(task), task);
    }

    internal List<TaskRecord> Live() => [.. _owned, .. _waiting ?? []];

    /// <summary>The live tasks that do not wait for a host.</summary>
    internal List<TaskRecord> Owned() => [.. _owned];

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

    internal void Remove(HashSet<TaskRecord> ended)
    {
        _tasks.RemoveAll(ended.Contains);
        foreach (var key in ended.Select(static task => task.Work?.Key).OfType<string>())
        {
            // A restored task has a key that it is not found by.
            if (Find(key) is { } task && ended.Contains(task))
            {
                _keys!.Remove(key);
            }
        }
    }

    private List<TaskRecord> ListOf(TaskRecord task) => task.Work is { IsWaiting: true } ? _waiting ??= [] : _owned;

    private static void Add(List<TaskRecord> list, TaskRecord task)
    {
        task.LiveIndex = list.Count;
        list.Add(task);
    }

    /// <summary>The last one takes its place.</summary>
    private static void Remove(List<TaskRecord> list, TaskRecord task)
    {
        var last = list[^1];
        list[task.LiveIndex] = last;
        last.LiveIndex = task.LiveIndex;
        list.RemoveAt(list.Count - 1);
        if (list.Capacity > SmallList && list.Count < list.Capacity / 8)
        {
            list.Capacity /= 4;
        }
    }
}
