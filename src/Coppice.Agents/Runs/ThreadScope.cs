namespace Coppice.Agents;

/// <summary>The thread that the executing agent code works for. It flows with that code, so that a tool need not be told.</summary>
internal sealed record ThreadScope(BackgroundTaskManager Manager, string ThreadId)
{
    private static readonly AsyncLocal<ThreadScope?> Ambient = new();

    internal static ThreadScope? Current => Ambient.Value;

    /// <summary>Makes this the scope of the calling async method, which ends it by returning; null leaves any scope.</summary>
    internal static void Enter(ThreadScope? scope) => Ambient.Value = scope;
}
