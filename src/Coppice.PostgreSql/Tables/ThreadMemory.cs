using System.Collections.Concurrent;

namespace Coppice.PostgreSql;

/// <summary>The ids and numbers of the threads that were used lately. A pair never changes.</summary>
internal sealed class ThreadMemory
{
    private const int MaxPairs = 2048;

    private readonly ConcurrentDictionary<string, long> _numbers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> _ids = new();
    private int _count;

    public long? NumberOf(string id) => _numbers.TryGetValue(id, out var number) ? number : null;

    public string? IdOf(long number) => _ids.GetValueOrDefault(number);

    public void Add(string id, long number)
    {
        if (_ids.ContainsKey(number))
        {
            return;
        }

        if (Interlocked.Increment(ref _count) > MaxPairs)
        {
            _numbers.Clear();
            _ids.Clear();
            _count = 0;
        }

        _numbers[id] = number;
        _ids[number] = id;
    }
}
