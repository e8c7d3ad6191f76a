namespace Coppice.ClusterHost;

/// <summary>What a task of a registered kind is to do.</summary>
/// <param name="Steps">How many steps, or messages that it waits for.</param>
/// <param name="Pause">How long each takes, in milliseconds.</param>
internal sealed record WorkInput(int Steps, int Pause);
