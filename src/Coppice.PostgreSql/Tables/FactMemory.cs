namespace Coppice.PostgreSql;

/// <summary>What one writer knows of threads, from one transaction to the next.</summary>
internal sealed class FactMemory
{
    private const int MostThreads = 1024;
    private const int MostFacts = 262_144;
    private const int TurnsBetweenCounts = 64;

    private readonly Dictionary<long, ThreadFacts> _threads = [];
    private int _turns;

    /// <summary>What is known of a thread that the transaction holds.</summary>
    public ThreadFacts Of(long thread) => _threads[thread];

    /// <summary>What is known of a thread, if anything is.</summary>
    public ThreadFacts? Find(long thread) => _threads.GetValueOrDefault(thread);

    /// <summary>Whether the row of a thread is at hand, so that a transaction can begin with it.</summary>
    public bool Has(long thread) => _threads.TryGetValue(thread, out var facts) && facts.Entry is not null;

    /// <summary>Takes in the version of a thread that the transaction has just locked, and lets go of what is of an earlier one.</summary>
    public void Verify(long thread, long version)
    {
        if (_threads.TryGetValue(thread, out var facts) && facts.Version == version)
        {
            return;
        }

        _threads[thread] = new ThreadFacts(version);
    }

    /// <summary>Lets go of all that was known of some threads.</summary>
    public void Drop(IEnumerable<long> threads)
    {
        foreach (var thread in threads)
        {
            _threads.Remove(thread);
        }
    }

    /// <summary>Lets go of what hangs on any thread.</summary>
    public void ForgetTasks()
    {
        foreach (var facts in _threads.Values)
        {
            facts.ForgetTasks();
        }
    }

    /// <summary>Lets go of what was read or changed of threads that the transaction holds, but not of their versions.</summary>
    public void Forget(IEnumerable<long> held)
    {
        foreach (var thread in held)
        {
            _threads.GetValueOrDefault(thread)?.Forget();
        }
    }

    /// <summary>Between two transactions: keeps no more than a bounded number of threads and facts.</summary>
    public void Trim()
    {
        if (_threads.Count > MostThreads || (++_turns % TurnsBetweenCounts == 0 && _threads.Values.Sum(static facts => (long)facts.Count) > MostFacts))
        {
            _threads.Clear();
        }
    }
}
