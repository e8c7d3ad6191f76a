namespace Coppice;

/// <summary>The failed messages of one sender's thread. Its lock is taken inside all others.</summary>
internal sealed class FailedList(string senderThreadId)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, Entry> _entries = [];

    internal void Add(Entry entry)
    {
        lock (_lock)
        {
            _entries.Add(entry.Number, entry);
        }
    }

    /// <summary>Takes one out. Only one caller gets it.</summary>
    internal bool Remove(Entry entry)
    {
        lock (_lock)
        {
            return _entries.Remove(entry.Number);
        }
    }

    internal List<Entry> All()
    {
        lock (_lock)
        {
            return [.. _entries.Values];
        }
    }

    internal List<Entry> Beyond(int max)
    {
        lock (_lock)
        {
            return [.. _entries.Values.Take(Math.Max(0, _entries.Count - max))];
        }
    }

    internal IReadOnlyList<FailedMessage> ToMessages() => All().ConvertAll(entry => entry.ToMessage(senderThreadId));

    /// <summary>A message that failed.</summary>
    internal sealed record Entry(
        long Number, string ToThreadId, MailEvent Mail, bool IsOutgoing, long Sequence, string Reason, int Attempts, DateTimeOffset FailedAt)
    {
        internal FailedMessage ToMessage(string senderThreadId) =>
            FailedMessage.Of(Number, senderThreadId, ToThreadId, Mail, Reason, Attempts, FailedAt);
    }
}
