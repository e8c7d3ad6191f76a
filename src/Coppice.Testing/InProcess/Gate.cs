namespace Coppice.Testing;

/// <summary>What the bodies of tests have in common: they tell that they started, and end as the test says.</summary>
/// <typeparam name="TContext">What a body is given.</typeparam>
internal sealed class Gate<TContext>(string what)
    where TContext : TaskContext
{
    private readonly TaskCompletionSource<Func<TaskOutcome>> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queued<TContext> _started = new();

    internal Task<Func<TaskOutcome>> End => _end.Task;

    internal void Start(TContext context) => _started.Add(context);

    internal Task<TContext> WaitUntilStartedAsync(TimeSpan? within, CancellationToken cancellationToken) =>
        _started.NextAsync($"No task started on the {what}", within, cancellationToken);

    /// <exception cref="InvalidOperationException">The end was decided before.</exception>
    internal void Decide(Func<TaskOutcome> end)
    {
        if (!_end.TrySetResult(end))
        {
            throw new InvalidOperationException($"How the {what} ends was decided before.");
        }
    }

    internal async Task<TaskOutcome> WaitForEndAsync(TContext context, bool ignoresCancellation)
    {
        if (ignoresCancellation)
        {
            return (await _end.Task.ConfigureAwait(false))();
        }

        await Task.WhenAny(_end.Task, context.WhenCancelledAsync()).ConfigureAwait(false);
        return _end.Task.IsCompletedSuccessfully ? _end.Task.Result() : TaskOutcome.Cancelled;
    }
}
