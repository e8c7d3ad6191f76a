namespace Coppice;

/// <summary>What is to be done with messages and when: expire one, or forget the id of one. Its lock is taken inside all others.</summary>
internal sealed class MessageAgenda
{
    private readonly Lock _lock = new();
    private readonly SortedSet<(long Ms, long Order, MessageEntry Entry)> _due =
        new(Comparer<(long Ms, long Order, MessageEntry Entry)>.Create(static (left, right) =>
            left.Ms != right.Ms ? left.Ms.CompareTo(right.Ms) : left.Order.CompareTo(right.Order)));

    private long _order;

    /// <summary>Gets when there is something to do next, in milliseconds since 1970.</summary>
    internal long? Next
    {
        get
        {
            lock (_lock)
            {
                return _due.Count == 0 ? null : _due.Min.Ms;
            }
        }
    }

    /// <summary>Plans an entry anew, or strikes it off.</summary>
    internal void Plan(MessageEntry entry, long? ms)
    {
        lock (_lock)
        {
            if (entry.Planned is { } planned)
            {
                _due.Remove((planned.Ms, planned.Order, entry));
            }

            entry.Planned = ms is { } due ? (due, ++_order) : null;
            if (entry.Planned is { } added)
            {
                _due.Add((added.Ms, added.Order, entry));
            }
        }
    }

    internal List<MessageEntry> Due(long nowMs, int limit)
    {
        var due = new List<MessageEntry>();
        lock (_lock)
        {
            foreach (var (ms, _, entry) in _due)
            {
                if (ms > nowMs || due.Count == limit)
                {
                    break;
                }

                due.Add(entry);
            }
        }

        return due;
    }
}
