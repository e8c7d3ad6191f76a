namespace Coppice.Agents;

/// <summary>
/// The idempotency keys of the tasks that one call of a tool spawns. When the call is made again, because it is not known whether it was made, it
/// finds the tasks that it spawned before. The keys flow with the code of the call.
/// </summary>
internal sealed class SpawnKeys(string taskId, string prefix)
{
    private static readonly AsyncLocal<SpawnKeys?> Ambient = new();

    private int _count;

    internal static SpawnKeys? Current => Ambient.Value;

    /// <summary>The key of the next task that the executing call spawns; null where no call of the task's is executing.</summary>
    internal static string? Next(TaskContext? task) => Current is { } keys && keys.IsOf(task) ? keys.Next() : null;

    /// <summary>Makes these the keys of the calling async method, which ends it by returning.</summary>
    internal static void Enter(SpawnKeys? keys) => Ambient.Value = keys;

    private bool IsOf(TaskContext? task) => task?.TaskId == taskId;

    private string Next() => $"{prefix}/{Interlocked.Increment(ref _count) - 1}";
}
