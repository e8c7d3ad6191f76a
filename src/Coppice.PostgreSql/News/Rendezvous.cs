namespace Coppice.PostgreSql;

/// <summary>Chooses one of several hosts for a thread, such that every process chooses the same.</summary>
internal static class Rendezvous
{
    /// <summary>The host that a thread goes to; <see langword="null"/> where there is none.</summary>
    public static long? Choose(string threadId, IEnumerable<long> epochs)
    {
        long? best = null;
        ulong most = 0;
        var thread = Hash(threadId);
        foreach (var epoch in epochs)
        {
            var weight = Mix(thread ^ Mix((ulong)epoch));
            if (best is null || weight > most || (weight == most && epoch > best))
            {
                (best, most) = (epoch, weight);
            }
        }

        return best;
    }

    // FNV-1a and the finalizer of SplitMix64: the same in every process and version, which the hash codes of .NET are not.
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
        {
            hash = (hash ^ c) * 1099511628211UL;
        }

        return hash;
    }

    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15UL;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
        return value ^ (value >> 31);
    }
}
