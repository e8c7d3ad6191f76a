namespace Coppice.Testing;

/// <summary>
/// Finds the moment at which no task is live. One look does not do: it goes from task to task, and a task that it has passed may spawn
/// another where it has already been. Two looks in a row that find the same tasks, all ended, do: whatever was live between them would
/// have been seen by the second.
/// </summary>
internal sealed class IdleLook(BackgroundTaskManager manager, string? ownerThreadId)
{
    private static readonly TaskState[] LiveStates = [TaskState.Pending, TaskState.Running, TaskState.InputRequired];

    internal static Task<List<TaskSnapshot>> FindLiveAsync(
        BackgroundTaskManager manager, string? ownerThreadId, CancellationToken cancellationToken) =>
        ReadAsync(manager, new TaskQuery { OwnerThreadId = ownerThreadId, States = LiveStates }, cancellationToken);

    internal async Task WaitAsync(CancellationToken cancellationToken)
    {
        var before = await EndedAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var after = await EndedAsync(cancellationToken).ConfigureAwait(false);
            if (after.IsSubsetOf(before))
            {
                return;
            }

            before = after;
        }
    }

    /// <summary>Waits until one look has found ended tasks only, and tells which.</summary>
    private async Task<HashSet<string>> EndedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var tasks = await ReadAsync(manager, new TaskQuery { OwnerThreadId = ownerThreadId }, cancellationToken).ConfigureAwait(false);
            var live = tasks.Where(static task => !task.State.IsTerminal()).Select(task => EndOfAsync(task.TaskId, cancellationToken)).ToList();
            if (live.Count == 0)
            {
                return [.. tasks.Select(static task => task.TaskId)];
            }

            await Task.WhenAll(live).ConfigureAwait(false);
        }
    }

    private async Task EndOfAsync(string taskId, CancellationToken cancellationToken)
    {
        try
        {
            await manager.WaitAsync(taskId, cancellationToken).ConfigureAwait(false);
        }
        catch (KeyNotFoundException)
        {
            // It ended and was pruned.
        }
    }

    private static async Task<List<TaskSnapshot>> ReadAsync(
        BackgroundTaskManager manager, TaskQuery query, CancellationToken cancellationToken)
    {
        var tasks = new List<TaskSnapshot>();
        await foreach (var task in manager.QueryAsync(query, cancellationToken).ConfigureAwait(false))
        {
            tasks.Add(task);
        }

        return tasks;
    }
}
