namespace Coppice.CrashChild;

/// <summary>What a task of the durable work is to do.</summary>
/// <param name="Steps">How many payments.</param>
/// <param name="Fails">How many attempts fail before one does not.</param>
/// <param name="Pause">How long each payment takes, in milliseconds.</param>
/// <param name="Delay">How long after its spawn it may begin, in milliseconds.</param>
internal sealed record WorkInput(int Steps, int Fails, int Pause, int Delay);
