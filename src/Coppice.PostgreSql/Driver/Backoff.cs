using System.Diagnostics.CodeAnalysis;

namespace Coppice.PostgreSql;

/// <summary>
/// How long to wait before the database is tried again: from 50 ms, twice as long each time, to 5 s; a part of it by chance, so that the hosts of a
/// database that comes back do not all come at once.
/// </summary>
internal sealed class Backoff
{
    internal static readonly TimeSpan Least = TimeSpan.FromMilliseconds(50);
    internal static readonly TimeSpan Most = TimeSpan.FromSeconds(5);

    private int _failures;

    /// <summary>Takes in a failure, and tells how long to wait: from half of the time that is due to all of it.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "Chance only spreads the load.")]
    public TimeSpan Next()
    {
        var due = Least * (1L << Math.Min(_failures, 20));
        _failures++;
        return (due < Most ? due : Most) * (0.5 + (Random.Shared.NextDouble() / 2));
    }

    /// <summary>Takes in that it went well.</summary>
    public void Reset() => _failures = 0;
}
