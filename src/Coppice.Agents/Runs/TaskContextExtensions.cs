namespace Coppice.Agents;

/// <summary>An agent's side of whatever task is executing.</summary>
internal static class TaskContextExtensions
{
    internal static AgentTaskContext? AsAgent(this TaskContext? task) => task as AgentTaskContext ?? (task as DurableTaskContext)?.Agent;
}
