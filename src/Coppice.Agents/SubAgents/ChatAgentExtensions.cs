using Coppice.Agents;

namespace Coppice;

/// <summary>Spawns sub-agents.</summary>
public static class ChatAgentExtensions
{
    private const int DescribedPrompt = 200;

    /// <summary>
    /// Spawns a sub-agent: an agent task that gives a model a prompt, lets it work with its tools until it has nothing more to do and none of its own
    /// tasks runs any more, and ends with its last text, or with its result as JSON, as the task's result.
    /// </summary>
    /// <param name="manager">The manager.</param>
    /// <param name="ownerThreadId">The thread that owns it and is told how it ends; 1 to 256 bytes.</param>
    /// <param name="agent">The sub-agent.</param>
    /// <param name="prompt">What it is to do.</param>
    /// <param name="options">Its name, description and lineage. Without a description it has the agent's name and the beginning of the prompt.</param>
    /// <param name="cancellationToken">Gives the spawn up until the store's writer has it; then it is ignored.</param>
    /// <returns>The task's id.</returns>
    /// <remarks>
    /// Messages that are sent to the task enter its conversation between two calls of the model. Cancelling it cancels the call in flight and its own
    /// tasks with it; so does its failure. Its conversation is kept in the store, so that it can be continued. Where this very agent is registered with
    /// the manager (<c>AddAgent</c>) the task outlasts its process: whichever host has the agent goes on with it. Any other ends with this one.
    /// </remarks>
    /// <exception cref="ArgumentException">An argument is missing, or over its limit.</exception>
    /// <exception cref="SpawnException">The task was refused; nothing is stored or started.</exception>
    /// <exception cref="TaskStoreException">The store failed; nothing is started.</exception>
    public static async ValueTask<string> SpawnAgentAsync(
        this BackgroundTaskManager manager,
        string ownerThreadId,
        ChatAgent agent,
        string prompt,
        SpawnOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manager);
        ArgumentNullException.ThrowIfNull(agent);
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new SpawnOptions();
        if (options.Description is null)
        {
            options = options with { Description = $"{agent.Name}: {SafeText.Cut(prompt, DescribedPrompt)}" };
        }

        return agent.IsRegisteredWith(manager)
            ? (await manager.SpawnAsync(agent.Kind, ownerThreadId, new ChatAgentInput(prompt), options, cancellationToken).ConfigureAwait(false)).Id
            : await manager.SpawnAgentAsync(ownerThreadId, new ChatAgentBody(agent, prompt).RunAsync, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives a sub-agent that has ended a follow-up: a new task under the same agent thread, with the conversation that the ended one left, and the
    /// new prompt at its end.
    /// </summary>
    /// <param name="manager">The manager.</param>
    /// <param name="taskId">The ended task, of this owner thread.</param>
    /// <param name="agent">The sub-agent that goes on; usually the one that it was.</param>
    /// <param name="prompt">What it is to do now.</param>
    /// <param name="options">Its name, description and lineage.</param>
    /// <param name="cancellationToken">Gives the spawn up until the store's writer has it; then it is ignored.</param>
    /// <returns>The new task's id. Its <see cref="TaskSnapshot.Continues"/> is the ended one.</returns>
    /// <exception cref="KeyNotFoundException">There is no such task.</exception>
    /// <exception cref="ArgumentException">An argument is missing, or over its limit.</exception>
    /// <exception cref="SpawnException">The task was refused: it is no agent's (<see cref="SpawnError.ContinuesUnknown"/>), or its thread has a live agent (<see cref="SpawnError.AgentBusy"/>).</exception>
    /// <exception cref="TaskStoreException">The store failed; nothing is started.</exception>
    public static async ValueTask<string> ContinueAgentAsync(
        this BackgroundTaskManager manager,
        string taskId,
        ChatAgent agent,
        string prompt,
        SpawnOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manager);
        var ended = await manager.GetAsync(taskId, cancellationToken).ConfigureAwait(false)
            ?? throw new KeyNotFoundException($"There is no task '{taskId}'.");
        return await manager.SpawnAgentAsync(
            ended.OwnerThreadId, agent, prompt, (options ?? new()) with { Continues = taskId }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The name of the agent that a sub-agent's conversation was begun by, or <see langword="null"/>.</summary>
    internal static async ValueTask<string?> FindAgentNameAsync(
        this BackgroundTaskManager manager, string agentThreadId, CancellationToken cancellationToken)
    {
        await foreach (var entry in manager.ReadConversationAsync(agentThreadId, cancellationToken).ConfigureAwait(false))
        {
            return AgentConversation.AgentOf(entry);
        }

        return null;
    }
}
