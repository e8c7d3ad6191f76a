using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;

namespace Coppice.Properties.Tests.Support;

/// <summary>
/// Runs a property on random cases, and on failure on smaller and smaller ones. <c>COPPICE_SEED</c> gives the seed again that a run has
/// printed; <c>COPPICE_LONG=1</c> runs many more cases.
/// </summary>
internal static class PropertyRun
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;
    private const int LongFactor = 50;

    internal static void ForAll<T>(string what, Arbitrary<T> cases, int count, int size, Func<T, Task> property)
    {
        var seed = Environment.GetEnvironmentVariable("COPPICE_SEED") is { Length: > 0 } given
            ? ulong.Parse(given, CultureInfo.InvariantCulture)
            : (ulong)Random.Shared.NextInt64();
        var isLong = Environment.GetEnvironmentVariable("COPPICE_LONG") == "1";
        count *= isLong ? LongFactor : 1;
        TestContext.Current.TestOutputHelper?.WriteLine($"COPPICE_SEED={seed}");
        var config = Config.QuickThrowOnFailure
            .WithMaxTest(count)
            .WithStartSize(2)
            .WithEndSize(size)
            .WithQuietOnSuccess(true)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(seed, Gamma), FSharpOption<int>.None)));
        var disagreement = "";
        async Task<bool> HoldsAsync(T value)
        {
            try
            {
                await property(value);
                return true;
            }
            catch (Disagreement e)
            {
                // What fails last is the smallest.
                disagreement = e.Message;
                return false;
            }
        }

        try
        {
            // Away from the test framework's synchronisation context, which has few threads to wait on.
            Task.Run(() => Check.One(config, Prop.ForAll(cases, HoldsAsync)), TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            throw new Disagreement($"{what}: run again with COPPICE_SEED={seed}\n{e.Message}\n{disagreement}");
        }

        if (isLong)
        {
            Console.WriteLine($"{what}: {count} cases agree, COPPICE_SEED={seed}");
        }
    }
}
