namespace Coppice.Cli.Survey;

/// <summary>A folder that is to have a task.</summary>
/// <param name="Path">Where it is, from the surveyed folder; <c>.</c> is that folder itself.</param>
/// <param name="Level">How far it is below the surveyed folder.</param>
/// <param name="ParentTaskId">The task that its task is a child of.</param>
internal sealed record FolderItem(string Path, int Level, string ParentTaskId)
{
    public const string RootPath = ".";
}
