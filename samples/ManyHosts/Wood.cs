using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice.Samples.ManyHosts;

/// <summary>What is to grow.</summary>
/// <param name="Stems">How many stems the wood has.</param>
/// <param name="Twigs">How many twigs each of them has.</param>
internal sealed record Plan(int Stems, int Twigs);

/// <summary>Who grew a ring of a twig, in which attempt.</summary>
internal sealed record Ring(string Host, int Attempt);

/// <summary>A twig that has grown.</summary>
internal sealed record Twig(string Host, IReadOnlyList<Ring> Rings);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Plan))]
[JsonSerializable(typeof(Ring))]
[JsonSerializable(typeof(Twig))]
[JsonSerializable(typeof(int))]
internal sealed partial class WoodJson : JsonSerializerContext;

/// <summary>The kinds of the tree. While a wood or a stem waits for what it has spawned, no host has it.</summary>
internal static class Wood
{
    internal const int RingsOfTwig = 8;

    private static readonly TimeSpan RingTime = TimeSpan.FromMilliseconds(450);

    internal static TaskKind<Plan, int> Kind { get; } = new("wood", WoodJson.Default.Plan, WoodJson.Default.Int32) { Recovery = RecoveryPolicy.Resumable };

    internal static TaskKind<Plan, int> Stem { get; } = new("stem", WoodJson.Default.Plan, WoodJson.Default.Int32) { Recovery = RecoveryPolicy.Resumable };

    internal static TaskKind<int, Twig> Twig { get; } = new("twig", WoodJson.Default.Int32, WoodJson.Default.Twig) { Recovery = RecoveryPolicy.Resumable };

    /// <summary>Teaches a host to grow.</summary>
    /// <param name="kinds">Where kinds are registered.</param>
    /// <param name="host">What it is called.</param>
    /// <param name="tell">Told what it does, a line at a time.</param>
    internal static void Register(TaskRegistry kinds, string host, Action<string> tell)
    {
        kinds.Add(Kind, (plan, context) => BranchAsync(Stem, "stem", plan.Stems, _ => plan, context));
        kinds.Add(Stem, (plan, context) => BranchAsync(Twig, "twig", plan.Twigs, static twig => twig, context));
        kinds.Add(Twig, (number, context) => GrowAsync(number, host, context, tell));
    }

    private static async Task<int> BranchAsync<TInput, TResult>(
        TaskKind<TInput, TResult> kind, string name, int count, Func<int, TInput> input, DurableTaskContext context)
    {
        for (var i = 1; i <= count; i++)
        {
            await context.SpawnAsync($"{name} {i}", kind, input(i));
        }

        return (await context.JoinAsync("all grown", JoinCondition.All)).Ended.Count(static child => child.State == TaskState.Completed);
    }

    private static async Task<Twig> GrowAsync(int number, string host, DurableTaskContext context, Action<string> tell)
    {
        tell($"begins {context.TaskId} twig, attempt {context.Attempt}");
        var rings = new List<Ring>();
        for (var i = 0; i < RingsOfTwig; i++)
        {
            // A ring that has grown is kept, whoever goes on: only the others cost time again.
            rings.Add(await context.StepAsync(
                "ring",
                async token =>
                {
                    await Task.Delay(RingTime, context.Manager.TimeProvider, token);
                    return new Ring(host, context.Attempt);
                },
                WoodJson.Default.Ring,
                new StepOptions { Key = $"{number}-{i}" }));
        }

        tell($"ends {context.TaskId} twig, attempt {context.Attempt}, {rings.Count(ring => ring.Host == host)} of {rings.Count} rings grown here");
        return new Twig(host, rings);
    }
}
