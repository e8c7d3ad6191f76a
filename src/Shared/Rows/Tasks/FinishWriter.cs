using System.Text.Json;

namespace Coppice.Rows;

/// <summary>Moves tasks, posts their events and ends them.</summary>
internal sealed class FinishWriter(BatchContext context, MailPost post, WorkQueue queue)
{
    public MutationAnswer Write(MoveTask move)
    {
        if (context.Refuse(move.TaskId, move.Claim, out var task) is { } refusal)
        {
            return refusal;
        }

        // Work becomes pending by being handed back.
        if (move.To.IsTerminal() || !task.State.CanMoveTo(move.To) || (move.To == TaskState.Pending && task.Kind is not null))
        {
            return new MoveRefused(task.State);
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        context.Tasks.Move(task, move.To);
        context.Changed(TaskChangeKind.Moved, task.Number);
        return TaskMoved.Instance;
    }

    public MutationAnswer Write(CloseAgentInbox close)
    {
        if (context.Refuse(close.TaskId, close.Claim, out var task) is { } refusal)
        {
            return refusal;
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        context.Tasks.CloseAgentInbox(task);
        return TaskMoved.Instance;
    }

    public MutationAnswer Write(PostEvents events)
    {
        if (context.Refuse(events.TaskId, events.Claim, out var task) is { } refusal)
        {
            return refusal;
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        var added = NotStored(task, events.FirstEvent, events.Events);
        if (added.Count == 0)
        {
            return new EventsPosted(post.Unread(task.Owner).Customs);
        }

        context.Tasks.SetEventsThrough(task, events.FirstEvent + events.Events.Count);
        return new EventsPosted(Post(task, added).Customs);
    }

    public MutationAnswer Write(FinishTask finish)
    {
        if (context.Refuse(finish.TaskId, finish.Claim, out var task) is { } refusal)
        {
            return refusal;
        }

        if (!finish.State.IsTerminal() || !task.State.CanMoveTo(finish.State))
        {
            return new MoveRefused(task.State);
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        NoteCancel(task, finish.CancelledBy);
        End(finish.TaskId, task, finish.State, finish.Error, finish.Result, NotStored(task, finish.FirstEvent, finish.Events));
        return TaskFinished.Instance;
    }

    /// <summary>Ends a live task that no body ends.</summary>
    public void End(in TaskHead task, TaskState state, string? error, IReadOnlyList<MailEvent>? events = null) =>
        End(context.Ids.IdOf(task.Number), task, state, error, result: null, events ?? []);

    /// <summary>Notes a request to cancel that the store was not told of, unless there is one already.</summary>
    public void NoteCancel(in TaskHead task, string? by)
    {
        if (by is not null && !task.CancelRequested)
        {
            context.Tasks.RequestCancel(task, context.Time, by);
            context.Changed(TaskChangeKind.CancelRequested, task.Number);
        }
    }

    /// <summary>Posts events of a task, at least one, and tells what its owner has not read.</summary>
    public MailCounts Post(in TaskHead task, IReadOnlyList<MailEvent> events)
    {
        var (head, unread) = post.Post(task.Owner, events);
        Emitted(task.Number, events, head.LastSequence - events.Count);
        return unread;
    }

    /// <summary>Those of the events of an attempt that are not stored yet.</summary>
    public static IReadOnlyList<MailEvent> NotStored(in TaskHead task, int first, IReadOnlyList<CustomTaskEvent> events)
    {
        var stored = task.EventsThrough - first;
        return stored <= 0 ? events : stored >= events.Count ? [] : [.. events.Skip((int)stored)];
    }

    /// <summary>A restored task that was live, as the orphan it is now, and the event that says so.</summary>
    public static (TaskSnapshot Task, TaskFailed Mail) Orphan(TaskSnapshot task, DateTimeOffset time) =>
        (task with { State = TaskState.Failed, Error = Orphans.Error, Result = null, CompletedAt = time }, new TaskFailed(task.TaskId, Orphans.Error));

    private void End(
        string id, in TaskHead task, TaskState state, string? error, JsonElement? result, IReadOnlyList<MailEvent> events)
    {
        if (events.Count > 0)
        {
            // They are posted with the terminal event, and told as of before it.
            Emitted(task.Number, events, context.Threads.Head(task.Owner).LastSequence);
        }

        if (task.Kind is not null)
        {
            queue.End(task.Number);
        }

        context.Tasks.End(task, state, context.Time, error, result);
        context.Branches.Ended(task.Number);
        post.Bury(id, task);
        post.Post(task.Owner, [.. events, TerminalEvent(id, state, error, result)]);
        context.Changed(TaskChangeKind.Ended, task.Number);
        context.Notices.Add(new Notice.Ended(id));
    }

    private static TaskEvent TerminalEvent(string id, TaskState state, string? error, JsonElement? result) => state switch
    {
        TaskState.Completed => new TaskCompleted(id, result),
        TaskState.Failed => new TaskFailed(id, error ?? ""),
        _ => new TaskCancelled(id),
    };

    private void Emitted(long task, IReadOnlyList<MailEvent> events, long after)
    {
        foreach (var mail in events)
        {
            context.Changed(TaskChangeKind.Emitted, task, (CustomTaskEvent)mail, ++after);
        }
    }
}
