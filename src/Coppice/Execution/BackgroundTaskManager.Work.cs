using System.Text.Json;

namespace Coppice;

/// <content>Tasks of registered kinds.</content>
public sealed partial class BackgroundTaskManager
{
    /// <summary>Gets the kinds that this host knows, and runs.</summary>
    public IReadOnlyCollection<TaskKind> Kinds => [.. _options.Tasks];

    /// <summary>
    /// Spawns a task of a registered kind: its input is stored, and whichever host knows the kind and has room runs it, also after a restart. This
    /// host need not know the kind.
    /// </summary>
    /// <typeparam name="TInput">The type of the input.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="kind">The kind.</param>
    /// <param name="ownerThreadId">The thread that owns it and gets its mail; 1 to 256 bytes.</param>
    /// <param name="input">The input; at most 1 MB of JSON.</param>
    /// <param name="options">Its name, type, description and lineage; when it begins, and what becomes of it after a crash.</param>
    /// <param name="cancellationToken">Gives the spawn up until the store's writer has it; then it is ignored.</param>
    /// <returns>The task's id and the way to its result; where the idempotency key was known, those of the task that has it.</returns>
    /// <exception cref="ArgumentException">An argument is missing, or over its limit; the input cannot be written as JSON.</exception>
    /// <exception cref="SpawnException">The task was refused; nothing is stored.</exception>
    /// <exception cref="TaskStoreException">
    /// The store failed. Spawn again with the same idempotency key to be sure that it runs once. Should the task have been stored all the same, it runs
    /// if it has a key, and is cancelled if it has none.
    /// </exception>
    public async ValueTask<TaskHandle<TResult>> SpawnAsync<TInput, TResult>(
        TaskKind<TInput, TResult> kind, string ownerThreadId, TInput input, SpawnOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(kind);
        JsonElement json;
        try
        {
            json = JsonSerializer.SerializeToElement(input, kind.InputType);
        }
        catch (Exception e)
        {
            // Its getters and converters are the application's, and may throw anything.
            throw new ArgumentException($"The input cannot be written as JSON. {ExceptionText.Of(e)}", nameof(input), e);
        }

        var added = await SpawnWorkAsync(kind, ownerThreadId, json, options, cancellationToken).ConfigureAwait(false);
        return new TaskHandle<TResult>(this, added.TaskId, kind.ResultType) { WasKnown = added.WasKnown };
    }

    /// <summary>Spawns a task of a kind that this host knows, by its name: for doors through which input comes as JSON.</summary>
    /// <param name="kind">The name of the kind.</param>
    /// <param name="ownerThreadId">The thread that owns it and gets its mail; 1 to 256 bytes.</param>
    /// <param name="input">The input; at most 1 MB. It is read as the kind's input, to be refused here and not when the task runs.</param>
    /// <param name="options">Its name, type, description and lineage; when it begins, and what becomes of it after a crash.</param>
    /// <param name="cancellationToken">Gives the spawn up until the store's writer has it; then it is ignored.</param>
    /// <returns>The task's id.</returns>
    /// <exception cref="KeyNotFoundException">This host knows no such kind.</exception>
    /// <inheritdoc cref="SpawnAsync{TInput, TResult}(TaskKind{TInput, TResult}, string, TInput, SpawnOptions?, CancellationToken)"/>
    public async ValueTask<string> SpawnAsync(
        string kind, string ownerThreadId, JsonElement input, SpawnOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        var registered = FindKind(kind);
        if (registered.FaultOf(input) is { } fault)
        {
            throw new ArgumentException($"The input is none of kind '{kind}'. {fault}", nameof(input));
        }

        return (await SpawnWorkAsync(registered.Kind, ownerThreadId, input, options, cancellationToken).ConfigureAwait(false)).TaskId;
    }

    /// <summary>The JSON schema of a kind's input, as a model is shown it.</summary>
    /// <param name="kind">The name of the kind.</param>
    /// <exception cref="KeyNotFoundException">This host knows no such kind.</exception>
    public JsonElement GetInputSchema(string kind)
    {
        ArgumentException.ThrowIfNullOrEmpty(kind);
        return FindKind(kind).InputSchema;
    }

    /// <summary>The way to the result of a task that was spawned before.</summary>
    /// <typeparam name="TInput">The type of the input.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="kind">The kind of the task.</param>
    /// <param name="taskId">Its id.</param>
    public TaskHandle<TResult> GetHandle<TInput, TResult>(TaskKind<TInput, TResult> kind, string taskId)
    {
        ArgumentNullException.ThrowIfNull(kind);
        Rules.CheckId(taskId, nameof(taskId));
        return new TaskHandle<TResult>(this, taskId, kind.ResultType);
    }

    /// <summary>Waits for the children of a task, on whichever hosts: for those that it has now and those that come while it waits.</summary>
    /// <param name="parentTaskId">The parent, which may have ended.</param>
    /// <param name="condition">For how many of them.</param>
    /// <param name="cancellationToken">Stops waiting; the tasks go on.</param>
    /// <returns>Whether the condition is met, and what has ended. It is not met when no live child is left.</returns>
    public async Task<JoinResult> WaitForChildrenAsync(string parentTaskId, JoinCondition condition, CancellationToken cancellationToken = default)
    {
        Rules.CheckId(parentTaskId, nameof(parentTaskId));
        ArgumentNullException.ThrowIfNull(condition);
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        using var parked = core.Park();
        return await new ChildrenWait(core, parentTaskId, condition).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private RegisteredKind FindKind(string kind) => _options.Tasks.TryFind(kind, out var registered)
        ? registered
        : throw new KeyNotFoundException(
            $"This host knows no kind of task named '{kind}'. It knows: {(_options.Tasks.Count == 0 ? "none" : string.Join(", ", _options.Tasks.Select(known => known.Name)))}.");

    private async ValueTask<TaskAdded> SpawnWorkAsync(
        TaskKind kind, string ownerThreadId, JsonElement input, SpawnOptions? options, CancellationToken cancellationToken)
    {
        options ??= DefaultSpawnOptions;
        var work = Rules.CheckWork(kind, input, options);
        var spawn = Check(ownerThreadId, kind.Type, options, kind.HasInbox);
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        Rules.CheckName(options.Name);
        var agentThread = !kind.HasInbox ? null : await AgentThreadAsync(core, spawn.Continues, cancellationToken).ConfigureAwait(false);
        return await core.Spawner.SpawnWorkAsync(
            CreateAdd(spawn, Complete(spawn.Lineage, core.Store), agentThread, Guid.Empty, work), cancellationToken).ConfigureAwait(false);
    }
}
