namespace Coppice.Testing;

/// <summary>The simulation cannot go on: its limits are reached, or code has left it.</summary>
internal sealed class SimulationLimitException(string message) : Exception(message);
