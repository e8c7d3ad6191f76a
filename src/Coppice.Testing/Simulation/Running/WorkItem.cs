namespace Coppice.Testing;

/// <summary>One step that can be taken.</summary>
internal sealed class WorkItem(SimulatedProcess process, string what, Action run, long since)
{
    internal SimulatedProcess Process { get; } = process;

    internal string What { get; } = what;

    internal Action Run { get; } = run;

    /// <summary>Gets since when it is ready, in ticks of the simulation.</summary>
    internal long Since { get; } = since;

    internal bool IsWithdrawn { get; private set; }

    /// <summary>It is not to be run any more.</summary>
    internal void Withdraw() => IsWithdrawn = true;
}
