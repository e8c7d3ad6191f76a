using System.Diagnostics;

namespace Coppice;

/// <summary>What a task's span tells of its beginning.</summary>
/// <param name="Type">The task's type.</param>
/// <param name="Spawner">The span that it was spawned in.</param>
internal sealed record TaskOrigin(string Type, Activity? Spawner);
