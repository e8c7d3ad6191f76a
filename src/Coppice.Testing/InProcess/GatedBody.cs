namespace Coppice.Testing;

/// <summary>
/// A body that does no work and ends when and how the test says: hand <see cref="RunAsync"/> to whatever spawns a task. It ends as
/// cancelled when its token is cancelled first. Several tasks may run on one; all of them end at once. Safe for concurrent use.
/// </summary>
/// <example><code>
/// var body = new GatedBody();
/// var id = await manager.SpawnAsync("chat-1", body.RunAsync);
/// var task = await body.WaitUntilStartedAsync();
/// task.Emit("progress", 50);
/// body.Complete();
/// </code></example>
public sealed class GatedBody
{
    private readonly Gate<TaskContext> _gate = new("gated body");

    /// <summary>Gets whether it waits for the test alone, whatever its token says, as a body that does not cooperate.</summary>
    public bool IgnoresCancellation { get; init; }

    /// <summary>The body.</summary>
    /// <param name="context">What the manager gives it.</param>
    public Task<TaskOutcome> RunAsync(TaskContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _gate.Start(context);
        return _gate.WaitForEndAsync(context, IgnoresCancellation);
    }

    /// <summary>Waits until a task has started on it: the first call for the first, the next for the next.</summary>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The task's context, to emit events with.</returns>
    /// <exception cref="TaskAssertionException">None started in time.</exception>
    public Task<TaskContext> WaitUntilStartedAsync(TimeSpan? within = null, CancellationToken cancellationToken = default) =>
        _gate.WaitUntilStartedAsync(within, cancellationToken);

    /// <summary>Ends it with success, without a result.</summary>
    /// <exception cref="InvalidOperationException">Its end was decided before.</exception>
    public void Complete() => Complete(TaskOutcome.SuccessWithoutResult);

    /// <summary>Ends it with an outcome.</summary>
    /// <param name="outcome">The outcome, of whichever state.</param>
    /// <exception cref="InvalidOperationException">Its end was decided before.</exception>
    public void Complete(TaskOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        _gate.Decide(() => outcome);
    }

    /// <summary>Ends it with a failure.</summary>
    /// <param name="error">The error.</param>
    /// <exception cref="InvalidOperationException">Its end was decided before.</exception>
    public void Fail(string error) => Complete(TaskOutcome.Failure(error));

    /// <summary>Lets it throw.</summary>
    /// <param name="exception">What it throws.</param>
    /// <exception cref="InvalidOperationException">Its end was decided before.</exception>
    public void Throw(Exception exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        _gate.Decide(() => throw exception);
    }
}
