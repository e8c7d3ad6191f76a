namespace Coppice.StoreContract;

/// <summary>Waiting, with a guard so that a test that would hang fails instead.</summary>
public static class Wait
{
    /// <summary>Gets how long anything may take before the test fails; far more than it needs on a busy machine.</summary>
    public static TimeSpan Guard { get; } = TimeSpan.FromSeconds(45);

    /// <summary>Waits within the guard.</summary>
    public static Task Within(this Task task) => task.WaitAsync(Guard, TestContext.Current.CancellationToken);

    /// <inheritdoc cref="Within(Task)"/>
    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Guard, TestContext.Current.CancellationToken);

    /// <inheritdoc cref="Within(Task)"/>
    public static Task Within(this ValueTask task) => task.AsTask().Within();

    /// <inheritdoc cref="Within(Task)"/>
    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().Within();

    /// <summary>Waits within the guard for a set of tasks.</summary>
    public static Task<T[]> AllWithin<T>(this IEnumerable<Task<T>> tasks) => Task.WhenAll(tasks).Within();

    /// <inheritdoc cref="AllWithin{T}(IEnumerable{Task{T}})"/>
    public static Task AllWithin(this IEnumerable<Task> tasks) => Task.WhenAll(tasks).Within();

    /// <summary>Waits until a task looks as asked for, on the change feed.</summary>
    public static async Task<TaskSnapshot> UntilAsync(
        this BackgroundTaskManager manager, string taskId, Func<TaskSnapshot, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(manager);
        ArgumentNullException.ThrowIfNull(condition);

        using var guard = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        guard.CancelAfter(Guard);
        await using var changes = manager.WatchAsync(null, guard.Token).GetAsyncEnumerator(guard.Token);

        // The watch begins before the look, so that no change falls between them.
        var next = changes.MoveNextAsync();
        var task = await manager.GetAsync(taskId, guard.Token);
        while (task is null || !condition(task))
        {
            Assert.True(await next, "The change feed ended.");
            task = changes.Current.Task.TaskId == taskId ? changes.Current.Task : task;
            next = changes.MoveNextAsync();
        }

        await guard.CancelAsync();
        await IgnoreCancellation(next);
        return task;
    }

    private static async Task IgnoreCancellation(ValueTask<bool> next)
    {
        try
        {
            await next;
        }
        catch (OperationCanceledException)
        {
            // It is how the watch is told to end.
        }
    }
}
