namespace Coppice.Sqlite;

/// <summary>
/// The threads to whose failed messages some came since they were last looked at for being too many. Only in memory: what is forgotten is looked
/// at when the next one comes.
/// </summary>
internal sealed class GrownLists
{
    private readonly Lock _gate = new();
    private readonly HashSet<long> _threads = [];

    public bool Any
    {
        get
        {
            lock (_gate)
            {
                return _threads.Count > 0;
            }
        }
    }

    public void Add(long thread)
    {
        lock (_gate)
        {
            _threads.Add(thread);
        }
    }

    public List<long> TakeAll()
    {
        lock (_gate)
        {
            if (_threads.Count == 0)
            {
                return [];
            }

            List<long> all = [.. _threads];
            _threads.Clear();
            return all;
        }
    }
}
