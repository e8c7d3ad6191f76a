using System.Globalization;

namespace Coppice.Crash.Tests;

/// <summary>What the killed processes were told was stored, and what was there.</summary>
internal readonly record struct KillTotals
{
    internal int Kills { get; init; }

    internal int Spawns { get; init; }

    internal int Ends { get; init; }

    internal int Messages { get; init; }

    internal int Stored { get; init; }

    internal int Orphans { get; init; }

    public static KillTotals operator +(KillTotals one, KillTotals other) => new()
    {
        Kills = one.Kills + other.Kills,
        Spawns = one.Spawns + other.Spawns,
        Ends = one.Ends + other.Ends,
        Messages = one.Messages + other.Messages,
        Stored = one.Stored + other.Stored,
        Orphans = one.Orphans + other.Orphans,
    };

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Spawns} spawns, {Ends} ends and {Messages} messages acknowledged; {Stored} tasks stored, {Orphans} of them orphans");
}
