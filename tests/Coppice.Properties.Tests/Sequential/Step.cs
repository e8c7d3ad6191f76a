using FsCheck;
using FsCheck.Fluent;

namespace Coppice.Properties.Tests.Sequential;

/// <summary>What a step does.</summary>
internal enum StepKind
{
    Spawn,
    SpawnInside,
    SpawnAgent,
    Finish,
    CancelTask,
    CancelTree,
    CancelThread,
    CancelRun,
    Send,
    Emit,
    OpenInbox,
    Drain,
    Acknowledge,
    DisposeInbox,
    Wait,
    FindChild,
    Query,
    Restore,
    Prune,
    Advance,
    StartHost,
    StopHost,
}

/// <summary>One step. The numbers choose among what is there, so that a step means something wherever it stands.</summary>
internal sealed record Step(StepKind Kind, int A, int B, int C)
{
    private static readonly (int Weight, StepKind Kind)[] Weights =
    [
        (8, StepKind.Spawn), (3, StepKind.SpawnInside), (3, StepKind.SpawnAgent), (7, StepKind.Finish), (2, StepKind.CancelTask),
        (3, StepKind.CancelTree), (1, StepKind.CancelThread), (2, StepKind.CancelRun), (5, StepKind.Send), (3, StepKind.Emit),
        (3, StepKind.OpenInbox), (4, StepKind.Drain), (2, StepKind.Acknowledge), (1, StepKind.DisposeInbox), (1, StepKind.Wait),
        (2, StepKind.FindChild), (1, StepKind.Query), (2, StepKind.Restore), (1, StepKind.Prune), (2, StepKind.Advance),
        (2, StepKind.StartHost), (1, StepKind.StopHost),
    ];

    internal static Gen<Step> Any { get; } =
        from kind in Gen.Elements(Weights.SelectMany(each => Enumerable.Repeat(each.Kind, each.Weight)))
        from a in Gen.Choose(0, 11)
        from b in Gen.Choose(0, 11)
        from c in Gen.Choose(0, 11)
        select new Step(kind, a, b, c);

    internal IEnumerable<Step> Smaller()
    {
        foreach (var a in Less(A))
        {
            yield return this with { A = a };
        }

        foreach (var b in Less(B))
        {
            yield return this with { B = b };
        }

        foreach (var c in Less(C))
        {
            yield return this with { C = c };
        }
    }

    public override string ToString() => $"{Kind} {A} {B} {C}";

    private static IEnumerable<int> Less(int value) => value switch { 0 => [], 1 => [0], _ => [0, value / 2, value - 1] };
}

/// <summary>A sequence of steps, and how it is shown.</summary>
internal sealed record Script(IReadOnlyList<Step> Steps)
{
    internal static Arbitrary<Script> Arbitrary { get; } = Arb.From(
        Step.Any.ListOf().Select(steps => new Script(steps)),
        script => Support.Shrinking.Of(script.Steps, step => step.Smaller()).Select(steps => new Script(steps)));

    public override string ToString() => string.Join("; ", Steps);
}
