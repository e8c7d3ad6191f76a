namespace Coppice.Agents;

/// <summary>The states of a task that has not ended.</summary>
internal static class LiveStates
{
    internal static IReadOnlyCollection<TaskState> All { get; } = [.. Enum.GetValues<TaskState>().Where(state => !state.IsTerminal())];
}
