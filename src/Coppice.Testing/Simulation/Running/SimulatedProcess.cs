namespace Coppice.Testing;

/// <summary>What runs apart from everything else in a simulation: a host's process, the scenario, or the way to the store.</summary>
internal sealed class SimulatedProcess(string name)
{
    internal string Name { get; } = name;

    internal ProcessState State { get; set; }

    internal bool IsRunning => State == ProcessState.Running;

    internal bool IsDead => State == ProcessState.Dead;

    public override string ToString() => Name;
}

internal enum ProcessState
{
    Running,

    /// <summary>Its code stands still; time goes on without it.</summary>
    Paused,

    /// <summary>None of its code ever runs again.</summary>
    Dead,
}
