using System.Text.Json;

namespace Coppice.Sqlite;

/// <summary>Moves tasks, posts their events and ends them.</summary>
internal sealed class FinishWriter(BatchContext context, MailPost post)
{
    public MutationAnswer Write(MoveTask move)
    {
        if (Refuse(move.TaskId, out var task) is { } refusal)
        {
            return refusal;
        }

        if (move.To.IsTerminal() || !task.State.CanMoveTo(move.To))
        {
            return new MoveRefused(task.State);
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        context.Session.Tasks.Move(task, move.To);
        context.Changed(TaskChangeKind.Moved, task.Number);
        return TaskMoved.Instance;
    }

    public MutationAnswer Write(CloseAgentInbox close)
    {
        if (Refuse(close.TaskId, out var task) is { } refusal)
        {
            return refusal;
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        context.Session.Tasks.CloseAgentInbox(task);
        return TaskMoved.Instance;
    }

    public MutationAnswer Write(PostEvents events)
    {
        if (Refuse(events.TaskId, out var task) is { } refusal)
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
            return new EventsPosted(Unread(task.Owner).Customs);
        }

        context.Session.Tasks.SetEventsThrough(task, events.FirstEvent + events.Events.Count);
        var (_, unread) = post.Post(task.Owner, added);
        Emitted(task.Number, added);
        return new EventsPosted(unread.Customs);
    }

    public MutationAnswer Write(FinishTask finish)
    {
        if (Refuse(finish.TaskId, out var task) is { } refusal)
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

        if (finish.CancelledBy is not null && !task.CancelRequested)
        {
            context.Session.Tasks.RequestCancel(task, context.Time, finish.CancelledBy);
            context.Changed(TaskChangeKind.CancelRequested, task.Number);
        }

        End(finish.TaskId, task, finish.State, finish.Error, finish.Result, NotStored(task, finish.FirstEvent, finish.Events));
        return TaskFinished.Instance;
    }

    /// <summary>Ends live tasks whose host is gone and returns their ids.</summary>
    public List<string> Orphan(IReadOnlyList<long> numbers)
    {
        var orphans = new List<string>(numbers.Count);
        foreach (var number in numbers)
        {
            var id = context.Session.Ids.IdOf(number);
            End(id, context.Session.Tasks.Head(number)!.Value, TaskState.Failed, Orphans.Error, result: null, []);
            orphans.Add(id);
        }

        return orphans;
    }

    /// <summary>A restored task that was live, as the orphan it is now, and the event that says so.</summary>
    public static (TaskSnapshot Task, TaskFailed Mail) Orphan(TaskSnapshot task, DateTimeOffset time) =>
        (task with { State = TaskState.Failed, Error = Orphans.Error, Result = null, CompletedAt = time }, new TaskFailed(task.TaskId, Orphans.Error));

    private void End(
        string id, in TaskHead task, TaskState state, string? error, JsonElement? result, IReadOnlyList<MailEvent> events)
    {
        Emitted(task.Number, events);
        context.Session.Tasks.End(task, state, context.Time, error, result);
        context.Session.Branches.Ended(task.Number);
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

    private void Emitted(long task, IReadOnlyList<MailEvent> events)
    {
        foreach (var mail in events)
        {
            context.Changed(TaskChangeKind.Emitted, task, (CustomTaskEvent)mail);
        }
    }

    private static IReadOnlyList<MailEvent> NotStored(in TaskHead task, int first, IReadOnlyList<CustomTaskEvent> events)
    {
        var stored = task.EventsThrough - first;
        return stored <= 0 ? events : stored >= events.Count ? [] : [.. events.Skip((int)stored)];
    }

    private MailCounts Unread(long thread)
    {
        var head = context.Session.Threads.Head(thread);
        return context.State.Mailboxes.Find(head.Id)?.Unread ?? head.Unacknowledged;
    }

    /// <summary>Finds a live task of the batch's host, or says why it is not one.</summary>
    private MoveRefused? Refuse(string taskId, out TaskHead task)
    {
        task = default;
        if (context.Session.Ids.Find(taskId) is not { } number
            || context.Session.Tasks.Head(number) is not { } found
            || found.HostEpoch != context.Epoch)
        {
            return new MoveRefused((TaskState?)null);
        }

        task = found;
        return found.IsLive ? null : new MoveRefused(found.State);
    }
}
