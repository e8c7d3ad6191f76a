using System.Collections.Concurrent;

namespace Coppice.PostgreSql;

/// <summary>
/// How many events were unread in the threads that this process wrote lately. An emitter asks before each event and does not wait for the database, so the
/// answer has to be at hand; what other hosts read or post within the same moment is not in it.
/// </summary>
internal sealed class UnreadMemory
{
    private const int MaxThreads = 1024;
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (int Events, long At)> _known = new(StringComparer.Ordinal);

    public int? Find(string threadId) =>
        _known.TryGetValue(threadId, out var known) && TimeProvider.System.GetElapsedTime(known.At) < MaxAge ? known.Events : null;

    public void Note(string threadId, int events)
    {
        if (_known.Count >= MaxThreads)
        {
            _known.Clear();
        }

        _known[threadId] = (events, TimeProvider.System.GetTimestamp());
    }

    public void Forget(string threadId) => _known.TryRemove(threadId, out _);
}
