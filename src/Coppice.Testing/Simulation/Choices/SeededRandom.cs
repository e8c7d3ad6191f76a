namespace Coppice.Testing;

/// <summary>SplitMix64: the same numbers for the same seed, in every process and every version of the runtime.</summary>
internal sealed class SeededRandom(ulong seed)
{
    private ulong _state = seed;

    internal int Next(int count) => (int)(NextUInt64() % (uint)count);

    internal double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    internal ulong NextUInt64()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
