using System.Globalization;

namespace Coppice.StoreContract;

/// <summary>Where random tests begin. What a run drew is printed, and <c>COPPICE_SEED</c> makes a run draw it again.</summary>
public static class RandomSeed
{
    /// <summary>Draws a seed, or takes the one that is asked for, and prints it with the test.</summary>
    public static int Draw()
    {
        var seed = Environment.GetEnvironmentVariable("COPPICE_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        LongRun.Report($"COPPICE_SEED={seed}");
        return seed;
    }
}
