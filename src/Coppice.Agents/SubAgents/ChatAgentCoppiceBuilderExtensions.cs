using Coppice;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers agents with the services.</summary>
public static class ChatAgentCoppiceBuilderExtensions
{
    /// <summary>
    /// Registers an agent: what is spawned of it goes on after a crash or a restart from the last answer of its model. Functions get as
    /// <c>AIFunctionArguments.Services</c> a scope that lives as long as the attempt, unless <see cref="ChatAgent.TurnOptions"/> say otherwise. Safe to
    /// call more than once.
    /// </summary>
    /// <param name="builder">What <c>AddCoppice</c> gave.</param>
    /// <param name="agent">The agent. Spawn this very object.</param>
    public static CoppiceBuilder AddAgent(this CoppiceBuilder builder, ChatAgent agent)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(agent);
        return builder.AddAgent(_ => agent);
    }

    /// <summary>
    /// Registers an agent that is made of services: a chat client of the container, say. It is made once, and found again as a keyed service
    /// (<c>services.GetRequiredKeyedService&lt;ChatAgent&gt;(name)</c>), to be spawned.
    /// </summary>
    /// <param name="builder">What <c>AddCoppice</c> gave.</param>
    /// <param name="name">The agent's name.</param>
    /// <param name="create">Makes the agent.</param>
    public static CoppiceBuilder AddAgent(this CoppiceBuilder builder, string name, Func<IServiceProvider, ChatAgent> create)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(create);
        builder.Services.TryAddKeyedSingleton(name, (services, _) => create(services) is { } agent && agent.Name == name
            ? agent
            : throw new InvalidOperationException($"AddAgent(\"{name}\", …) has to make an agent of this name."));
        return builder.AddAgent(services => services.GetRequiredKeyedService<ChatAgent>(name));
    }

    private static CoppiceBuilder AddAgent(this CoppiceBuilder builder, Func<IServiceProvider, ChatAgent> find)
    {
        builder.Services.AddOptions<BackgroundTaskOptions>().Configure<IServiceProvider>((options, services) =>
        {
            var agent = find(services);
            if (!options.Tasks.Contains(agent.Kind))
            {
                options.Tasks.AddAgent(agent, services.GetRequiredService<IServiceScopeFactory>());
            }
        });
        return builder;
    }
}
