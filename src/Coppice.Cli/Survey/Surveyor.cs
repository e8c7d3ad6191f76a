using System.Text.Json;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>
/// The agent of a survey: on its own thread it spawns one named task for each folder, so many at a time, and adds up what comes into its
/// inbox until no folder is left.
/// </summary>
internal sealed class Surveyor(SurveyRules rules, TimeProvider time)
{
    public const string TaskName = "surveyor";

    private const int AckEvery = 256;

    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    private readonly SurveyPlan _plan = new();
    private readonly Dictionary<string, FolderItem> _live = new(StringComparer.Ordinal);
    private readonly long _started = time.GetTimestamp();
    private long _lastProgress;
    private long _read;
    private long _acknowledged;

    /// <summary>Gets what was added up; complete once the task has ended, also when it was cancelled.</summary>
    public SurveyTotals Totals { get; } = new();

    public async Task<TaskOutcome> RunAsync(AgentTaskContext context)
    {
        _plan.Add([new FolderItem(FolderItem.RootPath, 0, context.TaskId)]);
        try
        {
            while (await SpawnAsync(context))
            {
                await CollectAsync(context, context.CancellationToken);
            }
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            // The same request reached every folder's task: what they still say belongs to what the survey has to show.
            while (_live.Count > 0)
            {
                await CollectAsync(context, CancellationToken.None);
            }

            Totals.NotBegun += _plan.Waiting;
            await AcknowledgeAsync(context);
            return TaskOutcome.Cancelled;
        }

        await AcknowledgeAsync(context);
        ReportProgress(context, always: true);
        var report = Totals.ToReport(rules.Root, "completed", time.GetElapsedTime(_started)) with { TaskId = context.TaskId };
        return TaskOutcome.Success(report, SurveyJson.Default.SurveyReport);
    }

    /// <summary>Spawns tasks until as many live as may. False once nothing waits and nothing lives.</summary>
    private async Task<bool> SpawnAsync(AgentTaskContext context)
    {
        while (_live.Count < rules.Parallel)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var items = _plan.Take(rules.Parallel - _live.Count);
            if (items.Count == 0)
            {
                break;
            }

            // Together, so that they share a commit.
            await Task.WhenAll(items.Select(item => SpawnAsync(context, item)).ToArray());
        }

        return _live.Count > 0;
    }

    private async Task SpawnAsync(AgentTaskContext context, FolderItem item)
    {
        var options = new SpawnOptions
        {
            Type = FolderTask.Type,
            Name = TaskNames.ForFolder(item.Path),
            Description = Describe(item),
            Lineage = new TaskLineage { TaskId = item.ParentTaskId },
        };
        try
        {
            var body = new FolderTask(rules, _plan, item, context.TaskId, time);
            var taskId = await context.Manager.SpawnAsync(context.ThreadId, body.RunAsync, options);
            lock (_live)
            {
                _live.Add(taskId, item);
                Totals.Spawned++;
            }
        }
        catch (SpawnException e) when (e.Error is SpawnError.ParentCancelled or SpawnError.ShuttingDown)
        {
            lock (_live)
            {
                Totals.NotBegun++;
            }
        }
        catch (SpawnException e)
        {
            lock (_live)
            {
                Totals.AddRefusal(item, e.Message);
            }
        }
    }

    private async Task CollectAsync(AgentTaskContext context, CancellationToken cancellationToken)
    {
        Take(await context.Inbox.ReadAsync(cancellationToken));
        foreach (var mail in await context.Inbox.DrainAsync(cancellationToken))
        {
            Take(mail);
        }

        if (_read - _acknowledged >= AckEvery)
        {
            await AcknowledgeAsync(context);
        }

        ReportProgress(context);
    }

    private void Take(InboxItem mail)
    {
        _read = mail.Sequence;
        if (mail.Event is not TaskEvent { IsTerminal: true } end || !_live.Remove(end.TaskId, out var item))
        {
            return;
        }

        switch (end)
        {
            case TaskCompleted { Result: { } result } when result.Deserialize(SurveyJson.Default.FolderResult) is { } counted:
                Totals.Add(item, counted);
                break;
            case TaskFailed failed:
                Totals.AddFailure(item, failed.Error);
                break;
            default:
                Totals.Cancelled++;
                break;
        }
    }

    private async Task AcknowledgeAsync(AgentTaskContext context)
    {
        if (_read > _acknowledged)
        {
            await context.Inbox.AckAsync(_read);
            _acknowledged = _read;
        }
    }

    private void ReportProgress(AgentTaskContext context, bool always = false)
    {
        if (!always && _lastProgress != 0 && time.GetElapsedTime(_lastProgress) < ProgressInterval)
        {
            return;
        }

        _lastProgress = time.GetTimestamp();
        var counts = Totals.Counts;
        context.Emit(
            FolderTask.ProgressEvent,
            new SurveyProgress(Totals.Ended, _plan.Known, counts.Files, counts.Lines, counts.Bytes),
            SurveyJson.Default.SurveyProgress);
    }

    private string Describe(FolderItem item)
    {
        var path = SafeText.Line(item.Path, 500);
        return item.Path == FolderItem.RootPath
            ? rules.Depth == 0 ? "Count everything in the folder" : "Count the files right in the folder"
            : item.Level >= rules.Depth ? $"Count everything in {path}" : $"Count the files right in {path}";
    }
}
