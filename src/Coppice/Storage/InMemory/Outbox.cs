using System.Collections.Concurrent;

namespace Coppice;

/// <summary>The messages on their way out of an in-memory store, in lanes of one sender and one recipient. Guarded by its gate, but for the ids.</summary>
internal sealed class Outbox
{
    private readonly Dictionary<long, Entry> _entries = [];
    private readonly Dictionary<(string From, string To), LinkedList<Entry>> _lanes = [];
    private readonly SortedSet<(long DueMs, long Number)> _ready = [];
    private readonly ConcurrentDictionary<(string ThreadId, string MessageId), MessageEntry> _ids = [];
    private long _lastNumber;

    internal Lock Gate { get; } = new();

    /// <summary>Gets when the next message that nobody has is due.</summary>
    internal long? NextDueMs => _ready.Count == 0 ? null : _ready.Min.DueMs;

    /// <summary>What is known of an id. Needs no gate.</summary>
    internal MessageEntry? Find(string threadId, string messageId, long nowMs) =>
        _ids.TryGetValue((threadId, messageId), out var entry) && !entry.IsForgotten(nowMs) ? entry : null;

    internal Entry? Find(long number) => _entries.GetValueOrDefault(number);

    /// <summary>Adds a message at the end of its lane. Returns what was known under its id until now, and is forgotten.</summary>
    internal (Entry Added, MessageEntry? Before) Add(string threadId, ThreadMessage message, long keepMs, long nowMs)
    {
        var number = ++_lastNumber;
        var entry = new Entry(
            number, threadId, message,
            new MessageEntry(threadId, message.MessageId, isOutgoing: true, number, keepMs, message.ExpiresAt?.ToUnixTimeMilliseconds()));
        _entries.Add(number, entry);
        var lane = (message.FromThreadId, threadId);
        if (!_lanes.TryGetValue(lane, out var entries))
        {
            _lanes.Add(lane, entries = new LinkedList<Entry>());
        }

        entry.Link = entries.AddLast(entry);
        if (entries.Count == 1)
        {
            MakeReady(entry, nowMs);
        }

        var id = (threadId, message.MessageId);
        _ids.TryGetValue(id, out var before);
        _ids[id] = entry.Known;
        return (entry, before);
    }

    internal Entry? TakeReady(long nowMs)
    {
        if (_ready.Count == 0 || _ready.Min is var first && first.DueMs > nowMs)
        {
            return null;
        }

        _ready.Remove(first);
        var entry = _entries[first.Number];
        entry.ReadyMs = null;
        return entry;
    }

    internal void MakeReady(Entry entry, long dueMs)
    {
        entry.Claim = 0;
        entry.ReadyMs = dueMs;
        _ready.Add((dueMs, entry.Number));
    }

    /// <summary>Takes a message out of its lane, whose next one gets ready.</summary>
    internal void Remove(Entry entry, long nowMs)
    {
        _entries.Remove(entry.Number);
        if (entry.ReadyMs is { } readyMs)
        {
            _ready.Remove((readyMs, entry.Number));
        }

        var lane = entry.Link!.List!;
        var wasFirst = lane.First == entry.Link;
        lane.Remove(entry.Link);
        if (lane.Count == 0)
        {
            _lanes.Remove((entry.Message.FromThreadId, entry.ThreadId));
        }
        else if (wasFirst)
        {
            MakeReady(lane.First!.Value, nowMs);
        }
    }

    internal void Forget(MessageEntry entry) =>
        _ids.TryRemove(new KeyValuePair<(string, string), MessageEntry>((entry.ThreadId, entry.Id), entry));

    /// <summary>Gives back what a host had taken.</summary>
    internal void Release(long epoch, long nowMs)
    {
        foreach (var entry in _lanes.Values.Select(static lane => lane.First!.Value).Where(entry => entry.Claim == epoch))
        {
            MakeReady(entry, nowMs);
        }
    }

    internal sealed class Entry(long number, string threadId, ThreadMessage message, MessageEntry known)
    {
        internal long Number { get; } = number;

        internal string ThreadId { get; } = threadId;

        internal ThreadMessage Message { get; } = message;

        internal MessageEntry Known { get; } = known;

        /// <summary>Gets or sets how often it was taken to be sent.</summary>
        internal int Attempts { get; set; }

        /// <summary>Gets or sets the epoch of the host that has it; 0 for none.</summary>
        internal long Claim { get; set; }

        internal long? ReadyMs { get; set; }

        internal LinkedListNode<Entry>? Link { get; set; }
    }
}
