namespace Coppice;

/// <summary>The types that Coppice gives a task when its spawner gives none.</summary>
public static class TaskTypes
{
    /// <summary>An ordinary task.</summary>
    public const string Task = "task";

    /// <summary>An agent task: one with an inbox of its own.</summary>
    public const string SubAgent = "sub_agent";
}
