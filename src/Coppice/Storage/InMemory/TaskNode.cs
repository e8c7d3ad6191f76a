namespace Coppice;

/// <summary>A task's place in the forest. It exists while it is of use, which for most tasks is never.</summary>
internal sealed class TaskNode(TaskRecord task) : LineageNode
{
    internal TaskRecord Task { get; } = task;

    internal override bool IsLive => Task.IsLive;
}
