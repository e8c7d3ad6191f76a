namespace Coppice.PostgreSql;

/// <summary>
/// The readers that this process has let into mailboxes, by thread. That another has taken a mailbox over is told only where the reader is still the one that
/// it was taken from; else it might be told of one that has come later.
/// </summary>
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

    /// <summary>Takes in that a reader has lost its mailbox, and tells of it if it is still the last that was let in here.</summary>
    public void Lost(string threadId, Guid reader, Action tell)
    {
        // Within the gate: a reader that is let in meanwhile is noted, and told of, only after.
        lock (_gate)
        {
            if (_readers.TryGetValue(threadId, out var known) && known.Reader == reader)
            {
                _readers.Remove(threadId);
                tell();
            }
        }
    }
}
