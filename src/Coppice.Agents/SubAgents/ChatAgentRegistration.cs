using Coppice.Agents;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice;

/// <summary>Registers agents as kinds of task, so that their tasks outlast the process.</summary>
public static class ChatAgentRegistration
{
    /// <summary>
    /// Registers an agent: what is spawned of it goes on after a crash or a restart from the last answer of its model. The sub-agents that it may spawn
    /// itself are registered apart.
    /// </summary>
    /// <param name="tasks">The kinds of the host: <see cref="BackgroundTaskOptions.Tasks"/>.</param>
    /// <param name="agent">The agent. Spawn this very object.</param>
    /// <exception cref="ArgumentException">Another agent of this name is registered, or its name cannot be that of a kind.</exception>
    public static void AddAgent(this TaskRegistry tasks, ChatAgent agent)
    {
        ArgumentNullException.ThrowIfNull(tasks);
        ArgumentNullException.ThrowIfNull(agent);
        tasks.Add(agent.Kind, (input, context) => new ChatAgentBody(agent, input.Prompt).RunAsync(context));
    }

    /// <summary>Registers an agent whose functions get their services from the scope of the attempt.</summary>
    internal static void AddAgent(this TaskRegistry tasks, ChatAgent agent, IServiceScopeFactory scopes) =>
        tasks.Add(agent.Kind, scopes, (input, context) => new ChatAgentBody(agent, input.Prompt, context.Services).RunAsync(context));
}
