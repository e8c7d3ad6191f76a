using Coppice.Cli.Rendering;

namespace Coppice.Cli.Trees;

/// <summary>Tells in plain sentences how a task came about, what happened to it, and what it waits for. Every sentence is fit to be shown.</summary>
internal sealed class TaskStory(
    TaskSnapshot task, IReadOnlyList<TaskSnapshot> lineage, TaskSnapshot? canceller, IReadOnlyList<TaskSnapshot> liveChildren, TimeProvider time)
{
    private const int TextWidth = 500;

    public IEnumerable<string> Tell()
    {
        yield return $"{Title(task)} is a task of type {Text(task.Type)} on thread {Text(task.OwnerThreadId)}.";
        yield return task.Description.Length > 0
            ? $"It was asked to: {Text(task.Description)}"
            : "What was asked of it was not written down: it has no description.";
        foreach (var sentence in Origin())
        {
            yield return sentence;
        }

        if (task is { Work: { Attempt: > 1 } work, State: not TaskState.Pending })
        {
            yield return $"It was begun {TaskText.Attempts(work)}.";
        }

        foreach (var sentence in Cancellation())
        {
            yield return sentence;
        }

        yield return task.State.IsTerminal() ? Ending() : Waiting();
    }

    private IEnumerable<string> Origin()
    {
        var from = task.Lineage;
        var spawned = $"It was spawned on {TaskText.Moment(task.CreatedAt, time)}";
        yield return from switch
        {
            { TaskId: { } parentId } when lineage.Count > 1 => $"{spawned} beneath {Title(lineage[1])}{Call(from)}.",
            { TaskId: { } parentId } => $"{spawned} beneath {Text(parentId)}, which is not in this store{Call(from)}.",
            { IsEmpty: false } => $"{spawned}{Call(from)}; no task stands above it.",
            _ => $"{spawned} by the program itself: no task, run or tool call stands above it.",
        };

        if (task.Continues is { } before)
        {
            yield return $"It goes on with the conversation of {Text(before)}, which had ended.";
        }

        if (lineage.Count > 2)
        {
            yield return $"Its line goes up: {string.Join(" ← ", lineage.Select(Title))}.";
        }

        var root = lineage[^1].Lineage;
        if (lineage.Count > 1 && (root.RunId ?? root.CallId ?? root.AgentId) is not null)
        {
            yield return $"The root, {Title(lineage[^1])}, was spawned{Call(root)}.";
        }
        else if (lineage.Count > 1 && root.TaskId is { } above)
        {
            yield return lineage.Any(known => known.TaskId == above)
                ? "Its line closes in a circle, which only a restored snapshot can bring."
                : $"Above {Title(lineage[^1])} stands {Text(above)}, which is not in this store.";
        }
    }

    private IEnumerable<string> Cancellation()
    {
        if (task.CancelRequestedAt is not { } asked)
        {
            yield break;
        }

        yield return $"Its cancellation was requested {After(asked)} after its start, {Requester()}.";
        yield return "Since then, tasks spawned beneath it are refused.";
    }

    private string Requester() => task.CancelledBy switch
    {
        null or "" => "by nobody who was written down",
        "user" => "for this task alone",
        "thread" => $"by a cancel of all tasks of the thread {Text(task.OwnerThreadId)}",
        { } by when by.StartsWith("run:", StringComparison.Ordinal) => $"by a cancel of the run {Text(by[4..])}",
        { } by when by == "tree:" + task.TaskId => "by a cancel of its own tree",
        { } by when by.StartsWith("tree:", StringComparison.Ordinal) => $"by a cancel of the tree of {(canceller is null ? Text(by[5..]) : Title(canceller))}",
        { } by => $"by {Text(by)}",
    };

    private string Ending()
    {
        var after = task.CompletedAt is { } end ? $" after {After(end)}, on {TaskText.Moment(end, time)}" : "";
        return task.State switch
        {
            TaskState.Completed when task.CancelRequestedAt is not null => $"It completed{after} all the same: its body had the last word.{Result()}",
            TaskState.Completed => $"It completed{after}.{Result()}",
            TaskState.Cancelled when task.CancelRequestedAt is null => $"It ended itself as cancelled{after}; nobody had requested it.",
            TaskState.Cancelled => $"It was cancelled{after}.",
            _ when TaskText.IsOrphan(task) => $"It was orphaned: the process that ran it ended while it ran, and the next to open the store settled it as failed{after}.",
            _ => $"It failed{after}: {Text(task.Error)}",
        };
    }

    private string Waiting() => task switch
    {
        { State: TaskState.Pending, Work: { } work } => Pending(work),
        { State: TaskState.Pending } => "It waits to be started.",
        { State: TaskState.InputRequired } => "It waits for an answer from outside.",
        { CancelRequestedAt: not null } => $"It still runs, {Running()}: its body has not yet heeded the request.{Children()}",
        _ => $"It runs, {Running()}.{Children()}",
    };

    private string Pending(TaskWork work)
    {
        var after = work.Attempt == 0 ? "" : $" It was begun {TaskText.Attempts(work)}.{(work.LastError is null ? "" : $" The last attempt failed: {Text(work.LastError)}")}";
        return work.DueAt is { } due
            ? $"It waits for its time, {TaskText.Moment(due, time)}.{after}"
            : $"It waits for a host that knows the kind {Text(work.Kind)} and has room.{after}";
    }

    private string Children() => liveChildren.Count == 0
        ? ""
        : $" Beneath it {(liveChildren.Count == 1 ? "lives" : "live")} {string.Join(", ", liveChildren.Take(5).Select(Title))}"
            + (liveChildren.Count > 5 ? " and others." : ".");

    private string Running() => $"for {Durations.Show(time.GetUtcNow() - task.CreatedAt)} now";

    private string Result() => task.Result is null ? " It left no result." : $" 'coppice show {Text(task.TaskId)}' has its result.";

    private string After(DateTimeOffset moment) => Durations.Show(moment - task.CreatedAt);

    private static string Call(TaskLineage from)
    {
        var by = from.AgentId is null ? "" : $" by agent {Text(from.AgentId)}";
        var call = from.CallId is null ? "" : $" in tool call {Text(from.CallId)}";
        var run = from.RunId is null ? "" : $"{(call.Length > 0 ? " of" : " in")} run {Text(from.RunId)}";
        return by + call + run;
    }

    private static string Title(TaskSnapshot known) => TaskText.Title(known);

    private static string Text(string? text) => SafeText.Line(text, TextWidth);
}
