namespace Coppice.Cli.Survey;

/// <summary>A task as the board shows it.</summary>
internal sealed class BoardNode(string taskId, string name, BoardNode? parent, long order)
{
    public string TaskId => taskId;

    public string Name => name;

    public BoardNode? Parent => parent;

    /// <summary>Gets its place in the order of spawning.</summary>
    public long Order => order;

    public TaskState State { get; set; } = TaskState.Running;

    public bool IsLive => !State.IsTerminal();

    /// <summary>Gets or sets how many live tasks there are beneath it.</summary>
    public int LiveBelow { get; set; }

    public FolderProgress? Progress { get; set; }

    /// <summary>Gets or sets the counts of a folder that is done.</summary>
    public FolderResult? Result { get; set; }
}
