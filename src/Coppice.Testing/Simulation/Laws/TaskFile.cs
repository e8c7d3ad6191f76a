namespace Coppice.Testing;

/// <summary>All that a history says of one task.</summary>
internal sealed class TaskFile(string taskId)
{
    internal string TaskId { get; } = taskId;

    /// <summary>Gets the commit that added it, unless it was restored.</summary>
    internal BatchApplied? Added { get; set; }

    internal AddTask? Add { get; set; }

    internal List<TaskChanged> Changes { get; } = [];

    /// <summary>Gets the runs of its body, in the order of their claims; of a plain task only one.</summary>
    internal SortedDictionary<long, RunFile> Runs { get; } = [];

    /// <summary>Gets the run that has the task, or had it last.</summary>
    internal RunFile? Last => Runs.Values.LastOrDefault(static run => run.Taken is not null);

    /// <summary>Gets the work, when it is a task of a registered kind that was spawned here.</summary>
    internal NewWork? Work => Add?.Work;

    internal SpawnAcknowledged? Acknowledged { get; set; }

    /// <summary>Gets or sets whether the store forgot it.</summary>
    internal bool IsForgotten { get; set; }

    /// <summary>Gets or sets whether a snapshot brought it back after the store had forgotten it. From there on it is another task.</summary>
    internal bool CameBack { get; set; }

    /// <summary>Gets the threads that it was restored to when it came back.</summary>
    internal HashSet<string> LaterOwners { get; } = new(StringComparer.Ordinal);

    internal TaskChanged? Ended => Changes.Find(static change => change.Change.Kind == TaskChangeKind.Ended);

    internal bool IsRestored => Changes is [{ Change.Kind: TaskChangeKind.Restored }, ..];

    internal string? OwnerThreadId => Changes.Count > 0 ? Changes[0].Change.Task.OwnerThreadId : Add?.OwnerThreadId;

    internal RunFile Run(long claim)
    {
        if (!Runs.TryGetValue(claim, out var run))
        {
            Runs.Add(claim, run = new RunFile(claim));
        }

        return run;
    }
}
