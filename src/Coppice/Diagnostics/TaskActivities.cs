using System.Diagnostics;

namespace Coppice;

/// <summary>One span for each body, linked to what its spawner was doing.</summary>
internal static class TaskActivities
{
    private static readonly ActivitySource Source = new(CoppiceTelemetry.Name);

    /// <summary>What the caller is doing at the moment, when somebody listens.</summary>
    internal static Activity? Current() => Source.HasListeners() ? Activity.Current : null;

    internal static Activity? Start(LiveTask task)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var tags = new ActivityTagsCollection
        {
            ["coppice.task.id"] = task.TaskId,
            ["coppice.task.type"] = task.Type,
            ["coppice.thread.id"] = task.OwnerThreadId,
            ["coppice.run.id"] = task.Lineage.RunId,
            ["coppice.agent.id"] = task.Lineage.AgentId,
            ["coppice.parent_task.id"] = task.Lineage.TaskId,
        };
        ActivityLink[] links = task.SpawnedFrom is { } spawner ? [new ActivityLink(spawner.Context)] : [];
        return Source.StartActivity("coppice.task", ActivityKind.Internal, default(ActivityContext), tags, links);
    }

    internal static void End(Activity? activity, TaskOutcome outcome)
    {
        if (activity is null)
        {
            return;
        }

        activity.SetTag("coppice.task.status", outcome.State.ToWireName());
        if (outcome.State == TaskState.Failed)
        {
            activity.SetStatus(ActivityStatusCode.Error, outcome.Error);
        }

        activity.Dispose();
    }
}
