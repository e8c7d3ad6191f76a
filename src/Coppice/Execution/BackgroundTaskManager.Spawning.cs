using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <content>Spawning.</content>
public sealed partial class BackgroundTaskManager
{
    private static readonly SpawnOptions DefaultSpawnOptions = new();

    /// <summary>Spawns a task. It is stored when this returns, and its body starts only then.</summary>
    /// <param name="ownerThreadId">The thread that owns it and gets its mail; 1 to 256 bytes.</param>
    /// <param name="body">
    /// What it does. A returned outcome is the outcome. An <see cref="OperationCanceledException"/> while the task's own token is
    /// cancelled is <see cref="TaskState.Cancelled"/>; any other exception is <see cref="TaskState.Failed"/> with its message.
    /// </param>
    /// <param name="options">Its name, type, description and lineage.</param>
    /// <param name="cancellationToken">Gives the spawn up until the store's writer has it; then it is ignored.</param>
    /// <returns>The task's id.</returns>
    /// <exception cref="ArgumentException">An argument is missing, or over its limit.</exception>
    /// <exception cref="SpawnException">The task was refused; nothing is stored or started.</exception>
    /// <exception cref="TaskStoreException">The store failed; nothing is started.</exception>
    public ValueTask<string> SpawnAsync(
        string ownerThreadId, Func<TaskContext, Task<TaskOutcome>> body, SpawnOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return SpawnAsync(ownerThreadId, new OutcomeBody(body), options, isAgent: false, cancellationToken);
    }

    /// <summary>Spawns a task whose body returns a value: returning is success with the value as JSON (web defaults), throwing is failure.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <inheritdoc cref="SpawnAsync(string, Func{TaskContext, Task{TaskOutcome}}, SpawnOptions?, CancellationToken)"/>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public ValueTask<string> SpawnAsync<T>(
        string ownerThreadId, Func<TaskContext, Task<T>> body, SpawnOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return SpawnAsync(ownerThreadId, new ValueBody<T>(body, TaskOutcome.Success), options, isAgent: false, cancellationToken);
    }

    /// <summary>Spawns a task whose body returns a value: returning is success with the value as JSON, throwing is failure.</summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="ownerThreadId">The thread that owns it and gets its mail; 1 to 256 bytes.</param>
    /// <param name="body">What it does.</param>
    /// <param name="jsonTypeInfo">The contract of the result, as a source generator writes it.</param>
    /// <param name="options">Its name, type, description and lineage.</param>
    /// <param name="cancellationToken">Gives the spawn up until the store's writer has it; then it is ignored.</param>
    /// <inheritdoc cref="SpawnAsync(string, Func{TaskContext, Task{TaskOutcome}}, SpawnOptions?, CancellationToken)"/>
    [OverloadResolutionPriority(-1)] // "new() { Name = … }" as the third argument means SpawnOptions
    public ValueTask<string> SpawnAsync<T>(
        string ownerThreadId,
        Func<TaskContext, Task<T>> body,
        JsonTypeInfo<T> jsonTypeInfo,
        SpawnOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        return SpawnAsync(
            ownerThreadId, new ValueBody<T>(body, value => TaskOutcome.Success(value, jsonTypeInfo)), options, isAgent: false, cancellationToken);
    }

    /// <summary>Spawns a task whose body returns nothing: returning is success without a result, throwing is failure.</summary>
    /// <inheritdoc cref="SpawnAsync(string, Func{TaskContext, Task{TaskOutcome}}, SpawnOptions?, CancellationToken)"/>
    public ValueTask<string> SpawnAsync(
        string ownerThreadId, Func<TaskContext, Task> body, SpawnOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return SpawnAsync(ownerThreadId, new PlainBody(body), options, isAgent: false, cancellationToken);
    }

    /// <summary>
    /// Spawns an agent task: a task with a thread and an inbox of its own, or, where it <see cref="SpawnOptions.Continues"/> an ended one,
    /// with that one's.
    /// </summary>
    /// <inheritdoc cref="SpawnAsync(string, Func{TaskContext, Task{TaskOutcome}}, SpawnOptions?, CancellationToken)"/>
    public ValueTask<string> SpawnAgentAsync(
        string ownerThreadId,
        Func<AgentTaskContext, Task<TaskOutcome>> body,
        SpawnOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(body);
        return SpawnAsync(ownerThreadId, new AgentBody(body), options, isAgent: true, cancellationToken);
    }

    private async ValueTask<string> SpawnAsync(
        string ownerThreadId, TaskBody body, SpawnOptions? options, bool isAgent, CancellationToken cancellationToken)
    {
        options ??= DefaultSpawnOptions;
        TaskRules.CheckIsPlain(options);
        var spawn = Check(ownerThreadId, isAgent ? TaskTypes.SubAgent : TaskTypes.Task, options, isAgent);
        var core = await ReadyAsync(cancellationToken).ConfigureAwait(false);
        Rules.CheckName(options.Name);
        var agentThread = !isAgent ? null : await AgentThreadAsync(core, spawn.Continues, cancellationToken).ConfigureAwait(false);
        var task = core.Spawner.Prepare(body, options.Blocking);
        var reader = isAgent ? _options.Scheduler.NewGuid() : Guid.Empty;
        return await core.Spawner.SpawnAsync(
            task, CreateAdd(spawn, Complete(spawn.Lineage, core.Store), agentThread, reader, work: null), cancellationToken).ConfigureAwait(false);
    }

    private CheckedSpawn Check(string ownerThreadId, string type, SpawnOptions options, bool isAgent)
    {
        Rules.CheckId(ownerThreadId, nameof(ownerThreadId));
        var spawn = new CheckedSpawn(
            ownerThreadId,
            Rules.CheckOptionalId(options.Type, "options.Type") ?? type,
            Rules.CheckDescription(options.Description, "options.Description"),
            Rules.CheckLineage(options.Lineage, "options.Lineage"),
            Rules.CheckOptionalId(options.Continues, "options.Continues"),
            options);
        if (spawn.Continues is not null && !isAgent)
        {
            throw new ArgumentException("Only an agent task continues another: use SpawnAgentAsync, or leave Continues out.", "options.Continues");
        }

        return Enum.IsDefined(options.Notify)
            ? spawn
            : throw new ArgumentException($"There is no notify policy {(int)options.Notify}.", "options.Notify");
    }

    /// <summary>What the store is told of a new task. Made when all of it is known, and so only once.</summary>
    private AddTask CreateAdd(in CheckedSpawn spawn, TaskLineage lineage, string? agentThread, Guid agentReader, NewWork? work) => new()
    {
        OwnerThreadId = spawn.OwnerThreadId,
        Type = spawn.Type,
        Name = spawn.Options.Name,
        Description = spawn.Description,
        Lineage = lineage,
        State = work is null ? TaskState.Running : TaskState.Pending,
        MaxDepth = _options.MaxDepth,
        AgentThreadId = agentThread,
        AgentReader = agentReader,
        Continues = spawn.Continues,
        Notify = spawn.Options.Notify,
        Work = work,
    };

    /// <summary>
    /// The thread of a new agent: its own, or that of the one it continues, which never changes; whether the agent may take it on is decided in the
    /// commit.
    /// </summary>
    private async ValueTask<string> AgentThreadAsync(ManagerCore core, string? continues, CancellationToken cancellationToken) =>
        (continues is null ? null : (await core.Store.GetAsync(continues, cancellationToken).ConfigureAwait(false))?.AgentThreadId)
            ?? $"agent-{_options.Scheduler.NewGuid():N}";

    /// <summary>Law 6: what the caller left out comes from the task and the tool call that are executing, each part on its own.</summary>
    private TaskLineage Complete(TaskLineage given, ITaskStore store)
    {
        var task = AmbientTask.Current is { } ambient && ambient.CountsFor(store) ? ambient.TaskId : null;
        var call = ToolCallScope.Current;
        if (task is null && call is null)
        {
            return given;
        }

        return new TaskLineage
        {
            TaskId = given.TaskId ?? task,
            RunId = given.RunId ?? Rules.CheckOptionalId(call?.RunId, nameof(ToolCallScope)),
            CallId = given.CallId ?? Rules.CheckOptionalId(call?.CallId, nameof(ToolCallScope)),
            AgentId = given.AgentId ?? Rules.CheckOptionalId(call?.AgentId, nameof(ToolCallScope)),
        };
    }

    /// <summary>What a spawn asks for, checked, as far as its options say it.</summary>
    private readonly record struct CheckedSpawn(
        string OwnerThreadId, string Type, string Description, TaskLineage Lineage, string? Continues, SpawnOptions Options);
}
