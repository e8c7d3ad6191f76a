namespace Coppice.Agents;

/// <summary>What becomes of a sub-agent's own tasks when it ends without a result: they end with it.</summary>
internal static class OwnTasks
{
    /// <summary>Cancels them when the agent was cancelled or has failed. A shutdown is neither: they end with the host.</summary>
    internal static async ValueTask CancelAsync(AgentTaskContext context)
    {
        try
        {
            var isSignalled = context.CancellationToken.IsCancellationRequested;
            var task = isSignalled ? await context.Manager.GetAsync(context.TaskId, CancellationToken.None).ConfigureAwait(false) : null;
            if (!isSignalled || task?.CancelRequestedAt is not null)
            {
                await context.Manager.CancelThreadAsync(context.ThreadId, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is TaskStoreException or ObjectDisposedException)
        {
            // What the agent failed of is what its owner is told; its tasks end with the host, or with the next cancel of the tree.
        }
    }

    /// <summary>Cancels them when the agent was cancelled or has failed for good. Otherwise they are the next attempt's, here or on another host.</summary>
    internal static async ValueTask CancelAsync(DurableTaskContext context, ChatAgentTaskOptions options, Exception failure)
    {
        if (failure is AttemptLostException or InboxTakenOverException)
        {
            return;
        }

        try
        {
            var manager = context.Manager;
            var task = await manager.GetAsync(context.TaskId, CancellationToken.None).ConfigureAwait(false);
            if (task is { State: TaskState.Running, Work: { } work } && work.Attempt == context.Attempt
                && (task.CancelRequestedAt is not null || IsOver(work, context, options, failure)))
            {
                await manager.CancelThreadAsync(context.Agent!.ThreadId, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is TaskStoreException or ObjectDisposedException)
        {
            // As above.
        }
    }

    private static bool IsOver(TaskWork work, DurableTaskContext context, ChatAgentTaskOptions options, Exception failure) =>
        work.Deadline <= context.Manager.TimeProvider.GetUtcNow()
        || (!context.CancellationToken.IsCancellationRequested && !options.TriesAgain(work.Failures + 1, failure));
}
