namespace Coppice.Cli.Survey;

/// <summary>The body of a folder's task: counts it, tells its progress, and hands its sub-folders to the plan.</summary>
internal sealed class FolderTask(SurveyRules rules, SurveyPlan plan, FolderItem item, string surveyorId, TimeProvider time)
{
    public const string Type = "folder";
    public const string ProgressEvent = "progress";

    public Task<TaskOutcome> RunAsync(TaskContext context)
    {
        var scanner = new FolderScanner(
            rules, item, time, progress => context.Emit(ProgressEvent, progress, SurveyJson.Default.FolderProgress), context.CancellationToken);
        var result = scanner.Run(subFolders => plan.Add([.. subFolders.Select(path => Below(path, context.TaskId))]));
        return Task.FromResult(TaskOutcome.Success(result, SurveyJson.Default.FolderResult));
    }

    // The folder itself has a task like its sub-folders, but they are the surveyor's children: the tree of tasks is that of the folders.
    private FolderItem Below(string path, string taskId) =>
        new(path, item.Level + 1, item.Path == FolderItem.RootPath ? surveyorId : taskId);
}
