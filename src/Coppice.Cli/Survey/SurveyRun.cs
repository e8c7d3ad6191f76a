using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>One survey from its first task to its result, with its view and its cancellation.</summary>
internal sealed class SurveyRun(BackgroundTaskManager manager, SurveyRules rules, CommandContext context, ISurveyView view)
{
    private readonly Surveyor _surveyor = new(rules, context.Time);

    /// <summary>Runs it to its end.</summary>
    /// <param name="threadId">The thread that owns the surveyor.</param>
    /// <param name="stop">Completes when the survey is to be cancelled.</param>
    /// <exception cref="TaskStoreException">The store failed.</exception>
    public async Task<SurveyReport> RunAsync(string threadId, Task stop)
    {
        // The bodies block while they read, so many at a time at the most. This many more threads cost less than one of its own for each of
        // thousands of short tasks would.
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(workers + rules.Parallel, ports);

        var started = context.Time.GetTimestamp();
        using var done = new CancellationTokenSource();
        var board = new SurveyBoard();
        var feed = new BoardFeed(manager, board).Begin(done.Token);
        await using var inbox = await manager.OpenInboxAsync(threadId);
        var taskId = await manager.SpawnAgentAsync(threadId, _surveyor.RunAsync, new SpawnOptions
        {
            Name = Surveyor.TaskName,
            Description = $"Survey {SafeText.Line(rules.Root, 500)} to a depth of {rules.Depth}",
        });
        view.Notice(StartNotice(taskId));
        var shown = view.RunAsync(board, done.Token);
        try
        {
            var end = await WaitAsync(taskId, stop);
            await AcknowledgeAsync(inbox);
            return Report(end, context.Time.GetElapsedTime(started));
        }
        finally
        {
            await done.CancelAsync();
            await Task.WhenAll(feed, shown);
        }
    }

    private async Task<TaskSnapshot> WaitAsync(string taskId, Task stop)
    {
        var ended = manager.WaitAsync(taskId);
        if (await Task.WhenAny(ended, stop) == stop)
        {
            view.Notice("Cancelling … Ctrl-C once more leaves at once", urgent: true);
            await manager.CancelTreeAsync(taskId);
        }

        var end = await ended;
        if (end.State == TaskState.Failed)
        {
            // What the surveyor can no longer collect is of no use to anybody.
            await manager.CancelTreeAsync(taskId);
        }

        return end;
    }

    private SurveyReport Report(TaskSnapshot end, TimeSpan elapsed) =>
        end is { State: TaskState.Completed, Result: { } result } && result.Deserialize(SurveyJson.Default.SurveyReport) is { } report
            ? report
            : _surveyor.Totals.ToReport(rules.Root, end.State.ToWireName(), elapsed) with { TaskId = end.TaskId, Error = end.Error };

    /// <summary>What this thread was told about its surveys is read: nothing is left to wake anybody for.</summary>
    private static async Task AcknowledgeAsync(Inbox inbox)
    {
        while (await inbox.DrainAsync() is { Count: > 0 } mail)
        {
            await inbox.AckAsync(mail[^1].Sequence);
        }
    }

    private string StartNotice(string taskId) => $"Surveying {SafeText.Line(rules.Root, 200)} as {taskId}; Ctrl-C cancels";
}
