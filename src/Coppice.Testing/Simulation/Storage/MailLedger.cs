namespace Coppice.Testing;

/// <summary>All mail that was ever seen, by thread and sequence, and where the same place held two things.</summary>
internal sealed class MailLedger
{
    private readonly Dictionary<string, SortedDictionary<long, MailEvent>> _threads = new(StringComparer.Ordinal);

    internal IReadOnlyDictionary<string, SortedDictionary<long, MailEvent>> Threads => _threads;

    /// <summary>Gets the failed messages that were cleared, by the thread they were for.</summary>
    internal HashSet<(string ThreadId, string MessageId)> Cleared { get; } = [];

    /// <summary>Gets the dead letters that were cleared.</summary>
    internal HashSet<(string ThreadId, long Sequence)> ClearedLetters { get; } = [];

    internal List<string> Contradictions { get; } = [];

    /// <summary>Whether everything up to a place has been seen.</summary>
    internal bool Knows(string threadId, long through) =>
        _threads.TryGetValue(threadId, out var mail) && mail.Count > 0 && mail.Keys.First() == 1 && mail.Count >= through
        && mail.Keys.Take((int)Math.Min(through, int.MaxValue)).Last() == through;

    internal void Add(string threadId, IReadOnlyList<InboxItem> items)
    {
        for (var i = 1; i < items.Count; i++)
        {
            if (items[i].Sequence <= items[i - 1].Sequence)
            {
                Contradictions.Add($"mail {items[i].Sequence} of {threadId} came after mail {items[i - 1].Sequence}");
            }
        }

        foreach (var item in items)
        {
            Add(threadId, item.Sequence, item.Event);
        }
    }

    internal void Add(string threadId, long sequence, MailEvent mail)
    {
        if (!_threads.TryGetValue(threadId, out var thread))
        {
            _threads.Add(threadId, thread = []);
        }

        if (!thread.TryAdd(sequence, mail) && !thread[sequence].Equals(mail))
        {
            Contradictions.Add(
                $"mail {sequence} of {threadId} was '{MutationText.Describe(thread[sequence])}' and later '{MutationText.Describe(mail)}'");
        }
    }
}
