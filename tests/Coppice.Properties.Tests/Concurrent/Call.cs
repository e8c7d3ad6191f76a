using FsCheck;
using FsCheck.Fluent;

namespace Coppice.Properties.Tests.Concurrent;

/// <summary>What a call asks for.</summary>
internal enum CallKind
{
    Spawn,
    Finish,
    Emit,
    CancelTask,
    CancelTree,
    CancelThread,
    CancelRun,
    Send,
    Get,
    List,
    HasRunning,
    FindChild,
    OpenInbox,
    Drain,
    Acknowledge,
    Restore,
    Prune,
}

/// <summary>One call of one caller. The numbers choose among what is there.</summary>
internal sealed record Call(CallKind Kind, int A, int B, int C)
{
    private static readonly (int Weight, CallKind Kind)[] Weights =
    [
        (6, CallKind.Spawn), (5, CallKind.Finish), (2, CallKind.Emit), (2, CallKind.CancelTask), (4, CallKind.CancelTree), (1, CallKind.CancelThread),
        (2, CallKind.CancelRun), (3, CallKind.Send), (3, CallKind.Get), (3, CallKind.List), (2, CallKind.HasRunning), (2, CallKind.FindChild),
        (1, CallKind.OpenInbox), (4, CallKind.Drain), (1, CallKind.Acknowledge), (1, CallKind.Restore), (1, CallKind.Prune),
    ];

    internal static Gen<Call> Any { get; } =
        from kind in Gen.Elements(Weights.SelectMany(each => Enumerable.Repeat(each.Kind, each.Weight)))
        from a in Gen.Choose(0, 5)
        from b in Gen.Choose(0, 5)
        from c in Gen.Choose(0, 5)
        select new Call(kind, a, b, c);

    public override string ToString() => $"{Kind} {A} {B} {C}";
}

/// <summary>What each of some callers calls, one after another, at the same time as the others.</summary>
internal sealed record Workload(IReadOnlyList<IReadOnlyList<Call>> Callers)
{
    internal static Arbitrary<Workload> Arbitrary { get; } = Arb.From(
        from callers in Gen.Choose(2, 3)
        from calls in Gen.Choose(1, 4).SelectMany(count => Call.Any.ListOf(count)).ListOf(callers)
        select new Workload([.. calls]),
        static workload => Smaller(workload));

    public override string ToString() => string.Join(" | ", Callers.Select(calls => string.Join("; ", calls)));

    private static IEnumerable<Workload> Smaller(Workload workload)
    {
        for (var at = 0; at < workload.Callers.Count; at++)
        {
            foreach (var calls in Support.Shrinking.Of(workload.Callers[at], static _ => []))
            {
                yield return new Workload([.. workload.Callers.Take(at), calls, .. workload.Callers.Skip(at + 1)]);
            }
        }
    }
}
