namespace Coppice.Testing;

/// <summary>What the mail laws ask of a history.</summary>
internal static class MailEvidence
{
    /// <summary>A task's own events in its owner's mailbox, in order.</summary>
    internal static IEnumerable<(long Sequence, TaskEvent Event)> EventsOf(this Evidence evidence, TaskFile task) =>
        task.OwnerThreadId is { } threadId && evidence.Mail.Threads.TryGetValue(threadId, out var mail)
            ? mail.Where(item => item.Value is TaskEvent told && told.TaskId == task.TaskId && !IsMessage(told))
                .Select(static item => (item.Key, (TaskEvent)item.Value))
            : [];

    /// <summary>Whether it is a message that its sender's thread lists as failed, or did so until the list was cleared.</summary>
    internal static bool HasFailed(this Evidence evidence, string threadId, MailEvent mail) =>
        mail is ThreadMessage message
        && (evidence.Mail.Cleared.Contains((threadId, message.MessageId))
            || (evidence.FailedMessages.TryGetValue(message.FromThreadId, out var failed)
                && failed.Any(each => each.MessageId == message.MessageId && each.ToThreadId == threadId)));

    internal static bool IsMessage(MailEvent mail) => mail is CustomTaskEvent { EventType: AgentMessage.EventType };
}

internal sealed class OneTerminalEvent : Law
{
    internal override string Title => "Law 8: every ended task has exactly one terminal event";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values.Where(static task => task.Changes.Count > 0 && !task.CameBack))
        {
            var terminal = evidence.EventsOf(task).Where(static told => told.Event.IsTerminal).ToList();
            var isOrphanOfASnapshot = task.IsRestored && task.Changes[0].Change.Task.Error == Orphans.Error;
            var due = task.Ended is not null ? 1 : 0;
            if (task.IsRestored ? terminal.Count > 1 || (terminal.Count == 1 && !isOrphanOfASnapshot) : terminal.Count != due)
            {
                yield return $"{task.TaskId} has {terminal.Count}";
            }
            else if (task.Ended is { } ended && terminal is [(_, var told)] && !Says(told, ended.Change.Task))
            {
                yield return $"{task.TaskId} ended {ended.Change.Task.State.ToWireName()} and its mail says '{MutationText.Describe(told)}'";
            }
        }
    }

    private static bool Says(TaskEvent told, TaskSnapshot task) => told switch
    {
        TaskCompleted completed => task.State == TaskState.Completed && JsonValue.Same(completed.Result, task.Result),
        TaskFailed failed => task.State == TaskState.Failed && failed.Error == task.Error,
        _ => task.State == TaskState.Cancelled,
    };
}

internal sealed class EventsInOrder : Law
{
    internal override string Title => "Law 8: a task's events come in order, without a gap, before its terminal event";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var task in evidence.Tasks.Values.Where(static task => !task.IsRestored && !task.CameBack))
        {
            var told = evidence.EventsOf(task).Select(static each => each.Event).ToList();
            if (told.FindIndex(static each => each.IsTerminal) is var end and >= 0 && end < told.Count - 1)
            {
                yield return $"after its terminal event {MutationText.Describe(told[end + 1])} is in the mailbox";
                continue;
            }

            var customs = told.OfType<CustomTaskEvent>().ToList();
            var due = Due(task, customs);
            for (var i = 0; i < customs.Count; i++)
            {
                if (i >= due.Count || !customs[i].Equals(due[i].Event))
                {
                    yield return $"event {i} of {task.TaskId} in the mailbox is {customs[i].EventType} {customs[i].Payload.GetRawText()}, "
                        + (i >= due.Count ? "which it did not emit" : $"and it emitted {due[i].Event.EventType} {due[i].Event.Payload.GetRawText()}");
                    break;
                }
            }

            foreach (var run in task.Runs.Values.Where(static run => run is { Finish: not null, BodyEnd: { } end } && end.Number < run.Finished!.Number))
            {
                var emitted = run.Emitted.Where(emitted => emitted.Number < run.BodyEnd!.Number).ToList();
                if (run.Claim == 0 ? customs.Count < emitted.Count : run.Signalled is null && emitted.Exists(each => !customs.Contains(each.Event)))
                {
                    yield return $"{task.TaskId}{run} emitted {run.Emitted.Count} events and ended on its host, and {customs.Count} are in the mailbox";
                }
            }
        }
    }

    /// <summary>
    /// What is due, as far as it can be seen: of each attempt the first events, as many as there are in the mailbox; a crash may lose those at the
    /// end. Attempts tell their events apart by what is in them.
    /// </summary>
    private static List<EventEmitted> Due(TaskFile task, List<CustomTaskEvent> customs)
    {
        var due = new List<EventEmitted>();
        foreach (var run in task.Runs.Values)
        {
            var from = due.Count;
            due.AddRange(task.Work is null ? run.Emitted : run.Emitted.TakeWhile((each, i) => from + i < customs.Count && customs[from + i].Equals(each.Event)));
        }

        return due;
    }
}

internal sealed class MailCounts : Law
{
    internal override string Title => "Law 8: a thread's mail counts from 1 without gaps";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        // What was replayed may have failed again before anybody saw where it was.
        foreach (var (threadId, mail) in evidence.Mail.Threads.Where(_ => !evidence.HasReplays))
        {
            var due = 1L;
            foreach (var sequence in mail.Keys)
            {
                if (sequence != due)
                {
                    yield return $"in {threadId} mail {due} is missing before {sequence}";
                    break;
                }

                due++;
            }
        }
    }
}

internal sealed class MailStays : Law
{
    internal override string Title => "Law 8: mail is read in order, and its place and content never change";

    internal override IEnumerable<string> Judge(Evidence evidence) => evidence.Mail.Contradictions;
}

internal sealed class MailBelongsToItsThread : Law
{
    internal override string Title => "Law 8: a thread's mail never reaches another thread";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        foreach (var (threadId, mail) in evidence.Mail.Threads)
        {
            foreach (var told in mail.Values.OfType<TaskEvent>())
            {
                var task = evidence.Of(told.TaskId);
                var home = MailEvidence.IsMessage(told) ? task.Add?.AgentThreadId : task.OwnerThreadId;
                if (home is not null && home != threadId && !task.LaterOwners.Contains(threadId))
                {
                    yield return $"'{MutationText.Describe(told)}' belongs to {home} and is in {threadId}";
                }
            }
        }
    }
}

internal sealed class UnacknowledgedComesAgain : Law
{
    internal override string Title => "Law 8: mail that was not acknowledged comes again";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var acknowledged = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (acknowledge, answer) in evidence.Applied.SelectMany(static applied => applied.Landed<AcknowledgeMail, MailAcknowledged>()))
        {
            acknowledged[acknowledge.ThreadId] = Math.Max(acknowledged.GetValueOrDefault(acknowledge.ThreadId), answer.ThroughSequence);
        }

        foreach (var (append, _) in evidence.Applied.SelectMany(static applied => applied.Landed<AppendConversation, ConversationAppended>()))
        {
            acknowledged[append.ThreadId] = Math.Max(acknowledged.GetValueOrDefault(append.ThreadId), append.AcknowledgeThrough);
        }

        foreach (var (threadId, mail) in evidence.Mail.Threads)
        {
            var last = evidence.Entries.OfType<MailRead>().Where(read => read.IsAudit && read.ThreadId == threadId).SelectMany(static read => read.Items);
            var there = last.Select(static item => item.Sequence).ToHashSet();
            if (evidence.DeadLetters.TryGetValue(threadId, out var dead))
            {
                there.UnionWith(dead.Select(static letter => letter.Sequence));
            }

            there.UnionWith(evidence.Mail.ClearedLetters.Where(letter => letter.ThreadId == threadId).Select(static letter => letter.Sequence));

            foreach (var (sequence, told) in mail.Where(item => !evidence.HasFailed(threadId, item.Value)))
            {
                if (sequence > acknowledged.GetValueOrDefault(threadId) && !there.Contains(sequence))
                {
                    yield return $"mail {sequence} of {threadId}, '{MutationText.Describe(told)}', was not acknowledged and is gone";
                }
            }
        }
    }
}

internal sealed class UnreadMailIsToldOf : Law
{
    internal override string Title => "Law 8: unread mail is told of";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var asked = evidence.Entries.OfType<HostStarting>().Where(static starting => starting.IsTold).Select(static starting => starting.Host).ToHashSet();
        var told = evidence.Entries.OfType<UnreadMailTold>().ToLookup(static entry => (entry.Host, entry.ThreadId), static entry => entry.Number);
        var read = evidence.Entries.Where(entry => entry.Number < evidence.Rest).OfType<MailRead>()
            .SelectMany(static entry => entry.Items.Select(item => (entry.ThreadId, item.Sequence))).ToHashSet();
        foreach (var started in evidence.Entries.OfType<HostStarted>().Where(started => asked.Contains(started.Host) && evidence.AliveAtRest.Contains(started.Host)))
        {
            foreach (var arrived in evidence.Entries.OfType<MailArrived>().Where(arrived =>
                arrived is { Wakes: true, HasReader: false } && arrived.Number > started.Number && arrived.Number < evidence.Rest))
            {
                if (!told[(started.Host, arrived.ThreadId)].Any(number => number > arrived.Number))
                {
                    yield return $"{started.Host} was not told of the mail that arrived in {arrived.ThreadId} at {arrived.At.TotalSeconds:0.000} s";
                }
            }

            foreach (var (threadId, mail) in evidence.Mail.Threads)
            {
                if (OpenAtRest(evidence).Contains(threadId) || told.Contains((started.Host, threadId)))
                {
                    continue;
                }

                foreach (var (sequence, unread) in mail.Where(item => IsThereAtRest(evidence, item.Value) && !read.Contains((threadId, item.Key))))
                {
                    yield return $"{started.Host} was never told of mail {sequence} of {threadId}, '{MutationText.Describe(unread)}'";
                }
            }
        }
    }

    /// <summary>Whether it is a terminal event that came before the rest.</summary>
    private static bool IsThereAtRest(Evidence evidence, MailEvent mail) =>
        mail is TaskEvent { IsTerminal: true, TaskId: var taskId } && evidence.Of(taskId).Ended is { } ended && ended.Number < evidence.Rest;

    private static HashSet<string> OpenAtRest(Evidence evidence)
    {
        var open = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var applied in evidence.Applied.Where(applied => applied.HasLanded && applied.Number < evidence.Rest))
        {
            foreach (var mutation in applied.Batch.Mutations)
            {
                switch (mutation)
                {
                    case OpenMailbox opening:
                        open[opening.ThreadId] = opening.Reader;
                        break;
                    case AddTask { AgentThreadId: { } threadId, Work: null } agent:
                        open[threadId] = agent.AgentReader;
                        break;
                    case AddTask { AgentThreadId: { } threadId, Work: not null }:
                        // Nobody is told of its mail while it is pending.
                        open[threadId] = Guid.Empty;
                        break;
                    case CloseMailbox closing when open.GetValueOrDefault(closing.ThreadId) == closing.Reader:
                        open.Remove(closing.ThreadId);
                        break;
                }
            }
        }

        return [.. open.Keys];
    }
}

internal sealed class DeliveredInputArrives : Law
{
    internal override string Title => "Law 8: delivered input is in the thread's mailbox, once";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var delivered = evidence.Applied.SelectMany(static applied => applied.Landed<PostInput, MailPosted>())
            .ToLookup(static post => post.Mutation.ThreadId, StringComparer.Ordinal);
        foreach (var (threadId, mail) in evidence.Mail.Threads)
        {
            foreach (var (sequence, input) in mail.Where(static item => item.Value is LiveInput))
            {
                if (!delivered[threadId].Any(post => post.Answer.Sequence == sequence && post.Mutation.Input.Equals(input)))
                {
                    yield return $"mail {sequence} of {threadId} is input that was not delivered there";
                }
            }
        }

        foreach (var (post, answer) in delivered.SelectMany(static posts => posts))
        {
            if (evidence.Mail.Threads.GetValueOrDefault(post.ThreadId)?.GetValueOrDefault(answer.Sequence) is not LiveInput)
            {
                yield return $"'{post.Input.Messages.GetRawText()}' was delivered as mail {answer.Sequence} of {post.ThreadId}, and is not there";
            }
        }
    }
}

internal sealed class DeliveredMessagesArrive : Law
{
    internal override string Title => "Law 11: a delivered message is in the agent's mailbox or a dead letter, once";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var sent = new HashSet<SendMessage>(ReferenceEqualityComparer.Instance);
        foreach (var (send, answer) in evidence.Applied.SelectMany(static applied => applied.Landed<SendMessage, MessageSent>()))
        {
            if (!sent.Add(send))
            {
                yield return $"'{send.Content}' to {send.TaskId} was delivered twice";
                continue;
            }

            var thread = evidence.Of(send.TaskId).Add?.AgentThreadId;
            var mail = thread is null ? null : evidence.Mail.Threads.GetValueOrDefault(thread)?.GetValueOrDefault(answer.Sequence);
            if (!AgentMessage.TryRead(mail, out var from, out var content) || content != send.Content || from != send.From.AgentId)
            {
                yield return $"'{send.Content}' to {send.TaskId} was delivered as mail {answer.Sequence} of {thread ?? "no thread"}, and there is "
                    + (mail is null ? "nothing" : $"'{MutationText.Describe(mail)}'");
            }
        }
    }
}
