using System.Globalization;

namespace Coppice.Testing;

/// <summary>
/// What tests wait for and assert, on any manager: that of a <see cref="TestManager"/>, of a host under dependency injection, or one of
/// your own. What fails throws a <see cref="TaskAssertionException"/> that shows the tasks. Waiting is bounded in real time, 10 seconds
/// unless said otherwise, whatever clock the manager has.
/// </summary>
public static class TaskAssertions
{
    /// <summary>
    /// Waits until no task is live, also of those that are spawned meanwhile. What is spawned from outside the tasks, by code that the
    /// test has not awaited, it cannot know of.
    /// </summary>
    /// <param name="manager">The manager.</param>
    /// <param name="ownerThreadId">Only this thread's tasks, or <see langword="null"/> for all of the store.</param>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="TaskAssertionException">Tasks are still live; they are listed.</exception>
    public static async Task WaitUntilIdleAsync(
        this BackgroundTaskManager manager,
        string? ownerThreadId = null,
        TimeSpan? within = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manager);
        using var patience = new Patience(within, cancellationToken);
        try
        {
            await new IdleLook(manager, ownerThreadId).WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (patience.IsOver)
        {
            var live = await IdleLook.FindLiveAsync(manager, ownerThreadId, cancellationToken).ConfigureAwait(false);
            throw new TaskAssertionException(
                $"{(ownerThreadId is null ? "The store" : $"Thread {OneLine.Quote(ownerThreadId)}")} was not idle within {Seconds(patience)}. Still live:\n{TaskLines.Of(live)}",
                e);
        }
    }

    /// <summary>Asserts that exactly one task was spawned that is as described, live or ended. Does not wait.</summary>
    /// <param name="manager">The manager.</param>
    /// <param name="ownerThreadId">The thread that owns it, or <see langword="null"/> for any.</param>
    /// <param name="name">Its name, or <see langword="null"/> for any or none.</param>
    /// <param name="type">Its type, or <see langword="null"/> for any.</param>
    /// <param name="where">What else holds for it, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">Stops waiting for the store.</param>
    /// <returns>The task.</returns>
    /// <exception cref="TaskAssertionException">There is none, or more than one; all that were spawned are listed.</exception>
    public static async Task<TaskSnapshot> AssertSpawnedAsync(
        this BackgroundTaskManager manager,
        string? ownerThreadId,
        string? name = null,
        string? type = null,
        Func<TaskSnapshot, bool>? where = null,
        CancellationToken cancellationToken = default)
    {
        var wanted = new WantedTask(ownerThreadId, name, type, where);
        var (found, all) = await wanted.FindAsync(manager, cancellationToken).ConfigureAwait(false);
        return found switch
        {
            [var task] => task,
            [] => throw new TaskAssertionException($"Nothing was spawned that is {wanted}. There is:\n{TaskLines.Of(all)}"),
            _ => throw new TaskAssertionException($"{found.Count} tasks were spawned that are {wanted}, and not one:\n{TaskLines.Of(found)}"),
        };
    }

    /// <summary>Asserts that no task was spawned that is as described. Does not wait.</summary>
    /// <param name="manager">The manager.</param>
    /// <param name="ownerThreadId">The thread that owns it, or <see langword="null"/> for any.</param>
    /// <param name="name">Its name, or <see langword="null"/> for any or none.</param>
    /// <param name="type">Its type, or <see langword="null"/> for any.</param>
    /// <param name="where">What else holds for it, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">Stops waiting for the store.</param>
    /// <exception cref="TaskAssertionException">There is one, or more; they are listed.</exception>
    public static async Task AssertNotSpawnedAsync(
        this BackgroundTaskManager manager,
        string? ownerThreadId,
        string? name = null,
        string? type = null,
        Func<TaskSnapshot, bool>? where = null,
        CancellationToken cancellationToken = default)
    {
        var wanted = new WantedTask(ownerThreadId, name, type, where);
        var (found, _) = await wanted.FindAsync(manager, cancellationToken).ConfigureAwait(false);
        if (found.Count > 0)
        {
            throw new TaskAssertionException($"A task was spawned that is {wanted}:\n{TaskLines.Of(found)}");
        }
    }

    /// <summary>Waits until a task has ended, and asserts that it completed.</summary>
    /// <param name="manager">The manager.</param>
    /// <param name="taskId">The task.</param>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The task, with its result.</returns>
    /// <exception cref="TaskAssertionException">It is unknown, has not ended in time, or ended otherwise.</exception>
    public static Task<TaskSnapshot> AssertCompletedAsync(
        this BackgroundTaskManager manager, string taskId, TimeSpan? within = null, CancellationToken cancellationToken = default) =>
        AssertEndedAsync(manager, taskId, TaskState.Completed, within, cancellationToken);

    /// <summary>Waits until a task has ended, and asserts that it was cancelled.</summary>
    /// <param name="manager">The manager.</param>
    /// <param name="taskId">The task.</param>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The task; <see cref="TaskSnapshot.CancelledBy"/> says by whom.</returns>
    /// <exception cref="TaskAssertionException">It is unknown, has not ended in time, or ended otherwise.</exception>
    public static Task<TaskSnapshot> AssertCancelledAsync(
        this BackgroundTaskManager manager, string taskId, TimeSpan? within = null, CancellationToken cancellationToken = default) =>
        AssertEndedAsync(manager, taskId, TaskState.Cancelled, within, cancellationToken);

    /// <summary>Waits until a task has ended, and asserts that it failed.</summary>
    /// <param name="manager">The manager.</param>
    /// <param name="taskId">The task.</param>
    /// <param name="errorContains">What stands in its error, compared exactly, or <see langword="null"/> for any error.</param>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The task, with its error.</returns>
    /// <exception cref="TaskAssertionException">It is unknown, has not ended in time, ended otherwise, or with another error.</exception>
    public static async Task<TaskSnapshot> AssertFailedAsync(
        this BackgroundTaskManager manager,
        string taskId,
        string? errorContains = null,
        TimeSpan? within = null,
        CancellationToken cancellationToken = default)
    {
        var task = await AssertEndedAsync(manager, taskId, TaskState.Failed, within, cancellationToken).ConfigureAwait(false);
        return errorContains is null || (task.Error?.Contains(errorContains, StringComparison.Ordinal) ?? false)
            ? task
            : throw new TaskAssertionException(
                $"The error of the task does not contain {OneLine.Quote(errorContains)}:\n{TaskLines.Of([task])}");
    }

    /// <summary>
    /// Waits until a task has ended, and asserts what its owner finds in the mail: exactly one terminal event of the task, which agrees
    /// with its state and comes after all that the task emitted. Nothing is acknowledged, so it comes again; but the thread's inbox is
    /// opened for it, which takes it over from whoever has it open.
    /// </summary>
    /// <param name="manager">The manager.</param>
    /// <param name="taskId">The task.</param>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The task's events that nobody has acknowledged, in order; the last is the terminal one.</returns>
    /// <exception cref="TaskAssertionException">The task is unknown or has not ended in time, or its mail is otherwise; the mail is listed.</exception>
    public static async Task<IReadOnlyList<TaskEvent>> AssertMailAsync(
        this BackgroundTaskManager manager, string taskId, TimeSpan? within = null, CancellationToken cancellationToken = default)
    {
        var task = await EndOfAsync(manager, taskId, within, cancellationToken).ConfigureAwait(false);
        var mail = await ReadMailAsync(manager, task.OwnerThreadId, cancellationToken).ConfigureAwait(false);
        var events = mail.Select(static item => item.Event).OfType<TaskEvent>().Where(each => each.TaskId == taskId).ToList();
        var ends = events.Where(static each => each is not CustomTaskEvent).ToList();
        return ends is [var end] && ReferenceEquals(end, events[^1]) && Agrees(task, end)
            ? events
            : throw new TaskAssertionException(
                $"The mail of thread {OneLine.Quote(task.OwnerThreadId)} does not end the task with exactly one terminal event that agrees with its state:\n"
                + $"{TaskLines.Of([task])}\nThe mail that nobody has acknowledged:\n{TaskLines.Of(mail)}");
    }

    private static bool Agrees(TaskSnapshot task, TaskEvent end) => end switch
    {
        TaskCompleted completed => task.State == TaskState.Completed && completed == new TaskCompleted(task.TaskId, task.Result),
        TaskFailed failed => task.State == TaskState.Failed && failed.Error == task.Error,
        _ => task.State == TaskState.Cancelled,
    };

    private static async Task<IReadOnlyList<InboxItem>> ReadMailAsync(
        BackgroundTaskManager manager, string threadId, CancellationToken cancellationToken)
    {
        var inbox = await manager.OpenInboxAsync(threadId, cancellationToken).ConfigureAwait(false);
        await using (inbox.ConfigureAwait(false))
        {
            return await inbox.DrainAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<TaskSnapshot> AssertEndedAsync(
        BackgroundTaskManager manager, string taskId, TaskState state, TimeSpan? within, CancellationToken cancellationToken)
    {
        var task = await EndOfAsync(manager, taskId, within, cancellationToken).ConfigureAwait(false);
        return task.State == state
            ? task
            : throw new TaskAssertionException($"The task is {task.State.ToWireName()} and not {state.ToWireName()}:\n{TaskLines.Of([task])}");
    }

    private static async Task<TaskSnapshot> EndOfAsync(
        BackgroundTaskManager manager, string taskId, TimeSpan? within, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(manager);
        using var patience = new Patience(within, cancellationToken);
        try
        {
            return await manager.WaitAsync(taskId, patience.Token).ConfigureAwait(false);
        }
        catch (KeyNotFoundException e)
        {
            var (_, all) = await new WantedTask(null, null, null, null).FindAsync(manager, cancellationToken).ConfigureAwait(false);
            throw new TaskAssertionException($"There is no task {OneLine.Quote(taskId)}. There is:\n{TaskLines.Of(all)}", e);
        }
        catch (OperationCanceledException e) when (patience.IsOver)
        {
            var live = await IdleLook.FindLiveAsync(manager, null, cancellationToken).ConfigureAwait(false);
            throw new TaskAssertionException(
                $"The task {OneLine.Quote(taskId)} did not end within {Seconds(patience)}. Still live:\n{TaskLines.Of(live)}", e);
        }
    }

    private static string Seconds(Patience patience) =>
        string.Create(CultureInfo.InvariantCulture, $"{patience.Length.TotalSeconds:0.###} s");
}
