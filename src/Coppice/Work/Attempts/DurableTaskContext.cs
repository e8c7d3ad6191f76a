using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>What an attempt at a task of a registered kind works with: steps and state that outlast it, besides what every task has.</summary>
/// <remarks>
/// Steps and state are stored where the task is <see cref="RecoveryPolicy.Resumable"/>. In any other an attempt starts from the beginning,
/// so steps only run, and nothing of them is stored.
/// </remarks>
public sealed class DurableTaskContext : TaskContext
{
    private const string StepResult = "result of a step";

    private readonly TaskRunner _runner;
    private readonly HostFence _fence;
    private TaskAttempt? _attempt;

    // Made when the first step is asked for; most bodies have none.
    private StepLog? _steps;

    internal DurableTaskContext(TaskRunner runner, LiveTask live, TaskAttempt attempt, AgentTaskContext? agent)
        : base(runner.Manager, live.TaskId, live.OwnerThreadId, live)
    {
        _runner = runner;
        _fence = live.Fence;
        _attempt = attempt;
        Claim = attempt.Claim;
        Attempt = attempt.Work.Attempt;
        LastError = attempt.Work.LastError;
        Deadline = attempt.Work.Deadline;
        State = new TaskCheckpoint(runner, attempt, live.Fence);
        Agent = agent;
    }

    /// <summary>Gets which attempt this is, from 1. One that a stopping host handed back is not counted.</summary>
    public int Attempt { get; }

    /// <summary>Gets why the last attempt failed that did; <see langword="null"/> where none has. One that ended with its process has not failed.</summary>
    public string? LastError { get; }

    /// <summary>Gets when the task fails if it has not ended, in UTC.</summary>
    public DateTimeOffset? Deadline { get; }

    /// <summary>Gets the services of the attempt's own scope. They are those of the host's container; without one nothing is in it.</summary>
    public IServiceProvider Services { get; internal set; } = NoServices.Instance;

    /// <summary>Gets a small value that later attempts find again.</summary>
    public TaskCheckpoint State { get; }

    /// <summary>Gets the agent's side of a task whose kind <see cref="TaskKind.HasInbox"/>: its own thread and inbox; else <see langword="null"/>.</summary>
    public AgentTaskContext? Agent { get; }

    /// <summary>
    /// Runs an expensive piece of work once: its result is stored under its name before this returns, and a later attempt gets it back instead of
    /// running it again. What runs may still run twice, if the process ends before the result is stored.
    /// </summary>
    /// <typeparam name="T">The type of the result.</typeparam>
    /// <param name="name">Its name, one of a kind within the task, unless it has a key; 1 to 256 bytes.</param>
    /// <param name="work">What to do. Its token is the task's.</param>
    /// <param name="jsonTypeInfo">The contract of the result, as a source generator writes it.</param>
    /// <param name="options">A key, for steps in loops and for those that come in any order; whether to keep failures.</param>
    /// <returns>The result; at most 1 MB of JSON.</returns>
    /// <exception cref="ArgumentException">
    /// A name or key is missing, or over its limit; the result is, or cannot be written as JSON, whatever its type throws. An attempt that ends with
    /// that of a result is not tried again: it would only be paid for again.
    /// </exception>
    /// <exception cref="JsonException">The result is stored, but cannot be read as this type.</exception>
    /// <exception cref="InvalidOperationException">The step was asked for before in this attempt, or the task has too many steps.</exception>
    /// <exception cref="StepMismatchException">The code asks for other steps, or in another order, than the attempt whose steps are stored.</exception>
    /// <exception cref="StepFailedException">The step failed, and <see cref="StepOptions.KeepFailure"/> is set.</exception>
    /// <exception cref="AttemptLostException">The attempt is over; the result is not stored.</exception>
    /// <exception cref="TaskStoreException">The steps of the earlier attempt cannot be read, and to try again would not help.</exception>
    public Task<T> StepAsync<T>(
        string name, Func<CancellationToken, Task<T>> work, JsonTypeInfo<T> jsonTypeInfo, StepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        return ReadAsync(
            RunStep(name, options, async token => StepValue.Write(await work(token).ConfigureAwait(false), jsonTypeInfo, StepResult, nameof(work))),
            json => JsonValue.Read(json, jsonTypeInfo));
    }

    /// <summary>Runs an expensive piece of work once; its result is written with the web defaults.</summary>
    /// <inheritdoc cref="StepAsync{T}(string, Func{CancellationToken, Task{T}}, JsonTypeInfo{T}, StepOptions?)"/>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public Task<T> StepAsync<T>(string name, Func<CancellationToken, Task<T>> work, StepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        return ReadAsync(
            RunStep(name, options, async token => StepValue.Write(await work(token).ConfigureAwait(false), StepResult, nameof(work))),
            JsonValue.Read<T>);
    }

    /// <summary>Does something once that gives nothing.</summary>
    /// <inheritdoc cref="StepAsync{T}(string, Func{CancellationToken, Task{T}}, JsonTypeInfo{T}, StepOptions?)"/>
    public Task StepAsync(string name, Func<CancellationToken, Task> work, StepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        return RunStep(name, options, async token =>
        {
            await work(token).ConfigureAwait(false);
            return null;
        });
    }

    /// <summary>
    /// Waits. When it began to wait is stored, so that an attempt after a restart waits for what is left. Meanwhile the task does not count among
    /// those that this host runs at once.
    /// </summary>
    /// <param name="duration">How long, from zero to 10 years.</param>
    /// <param name="name">
    /// A name, one of a kind within the task. Without one sleeps are told apart by how many came before, which is right as long as
    /// no two of them are side by side.
    /// </param>
    /// <exception cref="OperationCanceledException">The task's token was cancelled.</exception>
    public Task SleepAsync(TimeSpan duration, string? name = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(duration, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(duration, SpawnOptions.LongestWait);
        return SleepUntilAsync(RunStep(
            name ?? "sleep",
            new StepOptions { Key = name is null ? Steps.NextSleep() : null },
            _ => Task.FromResult<JsonElement?>(ToJson(Manager.TimeProvider.GetUtcNow() + duration))));
    }

    /// <summary>
    /// Spawns a child of this task once: a later attempt that asks again gets the same child, by an idempotency key made of this task's id and
    /// the name. An agent's child belongs to the agent's thread, any other to the task's owner.
    /// </summary>
    /// <typeparam name="TInput">The type of the child's input.</typeparam>
    /// <typeparam name="TResult">The type of the child's result.</typeparam>
    /// <param name="name">What tells this child from the task's others; it is not the child's name.</param>
    /// <param name="kind">The kind of the child.</param>
    /// <param name="input">The child's input.</param>
    /// <param name="options">The child's options; its idempotency key is given.</param>
    /// <param name="cancellationToken">Gives the spawn up until the store's writer has it; then it is ignored.</param>
    /// <inheritdoc cref="BackgroundTaskManager.SpawnAsync{TInput, TResult}(TaskKind{TInput, TResult}, string, TInput, SpawnOptions?, CancellationToken)"/>
    public ValueTask<TaskHandle<TResult>> SpawnAsync<TInput, TResult>(
        string name, TaskKind<TInput, TResult> kind, TInput input, SpawnOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        options ??= new SpawnOptions();
        if (options.IdempotencyKey is not null)
        {
            throw new ArgumentException("A child's idempotency key is made of this task's id and the name; leave it out.", nameof(options));
        }

        return Manager.SpawnAsync(
            kind,
            Agent?.ThreadId ?? OwnerThreadId,
            input,
            options with { IdempotencyKey = $"{TaskId}/{name}", Lineage = options.Lineage with { TaskId = options.Lineage.TaskId ?? TaskId } },
            cancellationToken);
    }

    /// <summary>
    /// Waits for this task's children as a step: a later attempt gets the same answer. Meanwhile the task does not count among those that this
    /// host runs at once.
    /// </summary>
    /// <param name="name">The name of the step.</param>
    /// <param name="condition">For how many of them.</param>
    /// <exception cref="OperationCanceledException">The task's token was cancelled.</exception>
    public async Task<JoinResult> JoinAsync(string name, JoinCondition condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        JoinResult? fresh = null;
        var step = await RunStep(name, null, async token =>
        {
            fresh = await Manager.WaitForChildrenAsync(TaskId, condition, token).ConfigureAwait(false);
            return fresh.ToJson();
        }).ConfigureAwait(false);
        return fresh ?? await JoinResult.FromJsonAsync(step.Result!.Value, Manager, CancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes room for another attempt on this host, for as long as the body waits for what the manager does not see it wait for: mail, say, or an
    /// answer from outside. <see cref="SleepAsync"/>, <see cref="JoinAsync"/> and the waits of the manager do so by themselves.
    /// </summary>
    /// <returns>What is disposed of when the body goes on.</returns>
    public IDisposable Park() => (_attempt ?? throw Lost()).Park();

    /// <summary>Gets the number of the claim that this attempt goes by.</summary>
    internal long Claim { get; }

    private StepLog Steps
    {
        get
        {
            var attempt = _attempt ?? throw Lost();
            if (Volatile.Read(ref _steps) is { } steps)
            {
                return steps;
            }

            steps = new StepLog(_runner, attempt, _fence);
            return Interlocked.CompareExchange(ref _steps, steps, null) ?? steps;
        }
    }

    internal override void Release()
    {
        base.Release();
        Agent?.Release();
        State.Release();
        _attempt = null;
        _steps = null;
        Services = NoServices.Instance;
    }

    private static async Task<T> ReadAsync<T>(Task<TaskStep> step, Func<JsonElement, T?> read) =>
        (await step.ConfigureAwait(false)).Result is { } json ? read(json)! : default!;

    private static JsonElement ToJson(DateTimeOffset time) =>
        JsonElement.Parse(time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    private AttemptLostException Lost() => new(TaskId);

    private Task<TaskStep> RunStep(string name, StepOptions? options, Func<CancellationToken, Task<JsonElement?>> work)
    {
        Manager.Rules.CheckId(name, nameof(name));
        options ??= new StepOptions();
        options = options with { Key = Manager.Rules.CheckOptionalId(options.Key, "options.Key") };
        var token = CancellationToken;
        return Steps.StepAsync(name, options, async () =>
        {
            token.ThrowIfCancellationRequested();
            return await work(token).ConfigureAwait(false) is { } result
                ? Manager.Rules.CheckStepValue(result, StepResult, nameof(work))
                : null;
        }, token);
    }

    private async Task SleepUntilAsync(Task<TaskStep> step)
    {
        var wakeAt = DateTimeOffset.FromUnixTimeMilliseconds((await step.ConfigureAwait(false)).Result!.Value.GetInt64());
        using var parked = Park();
        await WakeTime.WaitUntilAsync(wakeAt, Manager.TimeProvider, CancellationToken).ConfigureAwait(false);
    }

    private sealed class NoServices : IServiceProvider
    {
        internal static NoServices Instance { get; } = new();

        public object? GetService(Type serviceType) => null;
    }
}
