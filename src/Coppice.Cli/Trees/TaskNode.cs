namespace Coppice.Cli.Trees;

/// <summary>A task and the tasks that were spawned beneath it, oldest first.</summary>
internal sealed class TaskNode(TaskSnapshot task)
{
    public TaskSnapshot Task => task;

    public List<TaskNode> Children { get; } = [];
}
