namespace Coppice.Agents;

/// <summary>What the tools of one thread act through, and for whom. Who that is comes from where the code runs, never from arguments.</summary>
internal sealed class ToolDoor(BackgroundTaskManager manager, string threadId, BackgroundTaskToolOptions options)
{
    internal BackgroundTaskManager Manager { get; } = manager;

    internal string ThreadId { get; } = threadId;

    internal BackgroundTaskToolOptions Options { get; } = options;

    internal DateTimeOffset Now => Manager.TimeProvider.GetUtcNow();

    /// <summary>Gets the task whose code calls.</summary>
    internal TaskContext? CurrentTask => TaskContext.CurrentOn(Manager);

    /// <summary>Gets the run that calls.</summary>
    internal string? CurrentRun => ToolCallScope.Current is { RunId.Length: > 0 } call ? call.RunId : Options.RunId;

    internal MessageSender Sender =>
        new(ThreadId, ToolCallScope.Current is { AgentId.Length: > 0 } call ? call.AgentId : Options.AgentId ?? "");

    /// <summary>Gets whether every sub-agent that is offered outlasts this host.</summary>
    internal bool AreAgentsRegistered => Options.Agents.All(agent => agent.IsRegisteredWith(Manager));

    /// <summary>What a sub-agent is spawned with.</summary>
    internal SpawnOptions OptionsFor(ChatAgent agent, string? name) => new()
    {
        Name = name,
        IdempotencyKey = agent.IsRegisteredWith(Manager) ? SpawnKeys.Next(CurrentTask) : null,
    };

    /// <summary>Finds a task of the thread by id; another thread's is none.</summary>
    internal async ValueTask<TaskSnapshot?> FindAsync(string taskId, CancellationToken cancellationToken) =>
        await Manager.GetAsync(taskId, cancellationToken).ConfigureAwait(false) is { } task && task.OwnerThreadId == ThreadId ? task : null;

    /// <summary>Finds a task of the thread: a live one by id, else by name; else one that has ended, by id.</summary>
    internal async ValueTask<TaskSnapshot?> FindByIdOrNameAsync(string idOrName, CancellationToken cancellationToken)
    {
        TaskSnapshot? byId = null;
        try
        {
            byId = await FindAsync(idOrName, cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            // It can be no id, but still a name: those may have more bytes.
        }

        return byId is not null && !byId.State.IsTerminal()
            ? byId
            : await FindLiveByNameAsync(idOrName, cancellationToken).ConfigureAwait(false) ?? byId;
    }

    /// <summary>Finds a live task of the thread by name.</summary>
    internal async ValueTask<TaskSnapshot?> FindLiveByNameAsync(string name, CancellationToken cancellationToken)
    {
        var query = new TaskQuery { OwnerThreadId = ThreadId, Name = name, States = LiveStates.All };
        var found = await Manager.ListAsync(query, null, 1, cancellationToken).ConfigureAwait(false);
        return found.Count > 0 ? found[0] : null;
    }
}
