namespace Coppice.PostgreSql;

/// <summary>The readers that this process has let into mailboxes, by thread.</summary>
internal sealed class OwnReaders
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (long Thread, Guid Reader)> _readers = new(StringComparer.Ordinal);

    /// <summary>Takes in who reads a mailbox, as a transaction that has landed left it. Before listeners hear of it.</summary>
    public void Note(string threadId, long thread, Guid? reader)
    {
        lock (_gate)
        {
            if (reader is { } own)
            {
                _readers[threadId] = (thread, own);
            }
            else
            {
                _readers.Remove(threadId);
            }
        }
    }

    /// <summary>The reader of a mailbox, if it was let in here.</summary>
    public Guid? Find(string threadId)
    {
        lock (_gate)
        {
            return _readers.TryGetValue(threadId, out var known) ? known.Reader : null;
        }
    }

    public IReadOnlyList<(string ThreadId, long Thread, Guid Reader)> All()
    {
        lock (_gate)
        {
            return [.. _readers.Select(static pair => (pair.Key, pair.Value.Thread, pair.Value.Reader))];
        }
    }

    /// <summary>Takes in that a reader has lost its mailbox. One that was let in here after it stays.</summary>
    public void Lost(string threadId, Guid reader)
    {
        lock (_gate)
        {
            if (_readers.TryGetValue(threadId, out var known) && known.Reader == reader)
            {
                _readers.Remove(threadId);
            }
        }
    }
}
