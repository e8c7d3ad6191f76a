namespace Coppice;

/// <summary>The messages between threads that one mailbox has or had not long ago, by id. Guarded by the thread's partition.</summary>
internal sealed class ThreadMessages
{
    private readonly Dictionary<string, MessageEntry> _byId = new(StringComparer.Ordinal);

    // In the order of the mailbox. Some of them may be done with already.
    private readonly Queue<MessageEntry> _waiting = [];

    internal bool IsEmpty => _byId.Count == 0;

    internal MessageEntry? Find(string id, long nowMs) =>
        _byId.TryGetValue(id, out var entry) && !entry.IsForgotten(nowMs) ? entry : null;

    /// <summary>Adds a message that was posted. Returns what was known under its id until now, and is forgotten.</summary>
    internal MessageEntry? Add(MessageEntry entry)
    {
        while (_waiting.TryPeek(out var first) && !first.IsWaiting)
        {
            _waiting.Dequeue();
        }

        _byId.TryGetValue(entry.Id, out var before);
        _byId[entry.Id] = entry;
        _waiting.Enqueue(entry);
        return before;
    }

    internal void Forget(MessageEntry entry)
    {
        if (_byId.TryGetValue(entry.Id, out var known) && known == entry)
        {
            _byId.Remove(entry.Id);
        }
    }

    /// <summary>Takes out the messages that still wait, up to a place.</summary>
    internal List<MessageEntry> TakeWaiting(long through)
    {
        var taken = new List<MessageEntry>();
        while (_waiting.TryPeek(out var next) && next.Place <= through)
        {
            _waiting.Dequeue();
            if (next.IsWaiting)
            {
                taken.Add(next);
            }
        }

        return taken;
    }

    /// <summary>The messages that have expired and were not set aside yet, after a place.</summary>
    internal List<MessageEntry> Expired(long nowMs, long after) =>
        [.. _waiting.Where(entry => entry.Place > after && entry.HasExpired(nowMs))];
}
