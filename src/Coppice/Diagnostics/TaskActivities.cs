using System.Diagnostics;

namespace Coppice;

/// <summary>One span for each body, linked to what its spawner was doing.</summary>
internal static class TaskActivities
{
    private static readonly ActivitySource Source = new(CoppiceTelemetry.Name);

    internal static bool AreWanted => Source.HasListeners();

    internal static Activity? Start(LiveTask task)
    {
        if (task.Origin is not { } origin)
        {
            return null;
        }

        var tags = new ActivityTagsCollection
        {
            ["coppice.task.id"] = task.TaskId,
            ["coppice.task.type"] = origin.Type,
            ["coppice.thread.id"] = task.OwnerThreadId,
            ["coppice.run.id"] = task.Lineage.RunId,
            ["coppice.agent.id"] = task.Lineage.AgentId,
            ["coppice.parent_task.id"] = task.Lineage.TaskId,
        };
        ActivityLink[] links = origin.Spawner is { } spawner ? [new ActivityLink(spawner.Context)] : [];
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
