using System.Globalization;

namespace Coppice.Testing;

/// <summary>One thing that happened.</summary>
internal abstract record HistoryEntry(SimulatedProcess? Process)
{
    /// <summary>Gets the place in the history, from 0.</summary>
    internal int Number { get; set; }

    internal TimeSpan At { get; set; }

    /// <summary>Gets or sets whether it is part of the audit, not of the history.</summary>
    internal bool IsAudit { get; set; }

    /// <summary>Gets what happened, in words.</summary>
    internal abstract string Text { get; }

    internal string Line => string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds,9:0.000} s  {Process?.Name ?? "",-10} {Text}");

    public sealed override string ToString() => Line;
}

internal sealed record Noted(SimulatedProcess? Process, string Note) : HistoryEntry(Process)
{
    internal override string Text => Note;
}

/// <summary>A host begins to start.</summary>
internal sealed record HostStarting(SimulatedProcess Host, bool IsTold) : HistoryEntry(Host)
{
    internal override string Text => "starts";
}

internal sealed record HostStarted(SimulatedProcess Host) : HistoryEntry(Host)
{
    internal override string Text => "has started";
}

internal sealed record HostFailedToStart(SimulatedProcess Host, Exception Reason) : HistoryEntry(Host)
{
    internal override string Text => $"could not start: {Reason.Message}";
}

internal sealed record HostCrashed(SimulatedProcess Host, string Why) : HistoryEntry(Host)
{
    internal override string Text => $"CRASHES {Why}";
}

internal sealed record HostPaused(SimulatedProcess Host) : HistoryEntry(Host)
{
    internal override string Text => "is paused";
}

internal sealed record HostResumed(SimulatedProcess Host) : HistoryEntry(Host)
{
    internal override string Text => "wakes";
}

internal sealed record HostDisposing(SimulatedProcess Host) : HistoryEntry(Host)
{
    internal override string Text => "begins to shut down";
}

internal sealed record HostDisposed(SimulatedProcess Host) : HistoryEntry(Host)
{
    internal override string Text => "has shut down";
}

/// <summary>The store was opened anew, as after the death of the one process that had it.</summary>
internal sealed record StoreReopened() : HistoryEntry((SimulatedProcess?)null)
{
    internal override string Text => "the store is opened anew";
}

/// <summary>A batch reached the store.</summary>
internal sealed record BatchApplied(SimulatedProcess? Host, MutationBatch Batch, CommitResult Result) : HistoryEntry(Host)
{
    /// <summary>Gets whether its host was not told that it landed.</summary>
    internal bool IsUnseen { get; init; }

    internal bool HasLanded => Result.Status == CommitStatus.Landed;

    internal override string Text => MutationText.Describe(Batch, Result);

    /// <summary>The landed mutations of a kind, with their answers.</summary>
    internal IEnumerable<(TMutation Mutation, TAnswer Answer)> Landed<TMutation, TAnswer>()
        where TMutation : Mutation
        where TAnswer : MutationAnswer
    {
        if (!HasLanded)
        {
            yield break;
        }

        for (var i = 0; i < Batch.Mutations.Count; i++)
        {
            if (Batch.Mutations[i] is TMutation mutation && Result.Answers[i] is TAnswer answer)
            {
                yield return (mutation, answer);
            }
        }
    }
}

/// <summary>Something went wrong between a host and the store.</summary>
internal sealed record FaultMet(SimulatedProcess Host, FaultKind Kind, string What) : HistoryEntry(Host)
{
    internal override string Text => $"FAULT {FaultText.Of(Kind)}: {What}";
}

/// <summary>The store told of a change.</summary>
internal sealed record TaskChanged(TaskChange Change) : HistoryEntry((SimulatedProcess?)null)
{
    internal override string Text => MutationText.Describe(Change);
}

internal sealed record HostClosed(HostFence Fence) : HistoryEntry((SimulatedProcess?)null)
{
    internal override string Text => $"host {Fence.HostId} of epoch {Fence.Epoch} is fenced off";
}

/// <summary>A spawn is about to be answered with an id.</summary>
internal sealed record SpawnAcknowledged(SimulatedProcess Host, string TaskId) : HistoryEntry(Host)
{
    internal override string Text => $"{TaskId} is acknowledged";
}

/// <param name="Host">Where.</param>
/// <param name="TaskId">The task.</param>
/// <param name="Claim">The attempt; 0 for a task without a registered kind.</param>
internal sealed record BodyStarted(SimulatedProcess Host, string TaskId, long Claim) : HistoryEntry(Host)
{
    internal override string Text => $"body of {TaskId} starts{WorkText.Of(Claim)}";
}

internal sealed record BodyEnded(SimulatedProcess Host, string TaskId, long Claim, TaskOutcome Outcome) : HistoryEntry(Host)
{
    internal override string Text => $"body of {TaskId}{WorkText.Of(Claim)} ends {Outcome.State.ToWireName()}{MutationText.Cause(Outcome.Error)}";
}

internal sealed record BodySignalled(SimulatedProcess Host, string TaskId, long Claim) : HistoryEntry(Host)
{
    internal override string Text => $"body of {TaskId}{WorkText.Of(Claim)} is signalled";
}

internal sealed record EventEmitted(SimulatedProcess Host, long Claim, CustomTaskEvent Event) : HistoryEntry(Host)
{
    internal override string Text => $"{Event.TaskId} emits {Event.EventType} {Event.Payload.GetRawText()}";
}

/// <summary>The store handed mail to a reader.</summary>
internal sealed record MailRead(SimulatedProcess? Host, string ThreadId, Guid Reader, IReadOnlyList<InboxItem> Items) : HistoryEntry(Host)
{
    internal override string Text =>
        $"reads mail of {ThreadId}: {string.Join(", ", Items.Select(static item => $"{item.Sequence} {MutationText.Describe(item.Event)}"))}";
}

internal sealed record UnreadMailTold(SimulatedProcess Host, string ThreadId) : HistoryEntry(Host)
{
    internal override string Text => $"is told of unread mail of {ThreadId}";
}

/// <summary>The store told of mail that arrived.</summary>
internal sealed record MailArrived(string ThreadId, bool Wakes, bool HasReader) : HistoryEntry((SimulatedProcess?)null)
{
    internal override string Text => $"mail arrives in {ThreadId}{(Wakes ? "" : ", which wakes nobody")}{(HasReader ? ", whose inbox is open" : "")}";
}

/// <summary>A call of a host's code.</summary>
internal sealed record CallEnded(SimulatedProcess Host, string What) : HistoryEntry(Host)
{
    internal override string Text => What;
}

/// <summary>Faults have stopped, everybody is awake and time has passed: what should come about has.</summary>
internal sealed record CameToRest() : HistoryEntry((SimulatedProcess?)null)
{
    internal override string Text => "faults have stopped and time has passed";
}

/// <summary>A spawn is on its way to the store.</summary>
/// <param name="Host">Where.</param>
/// <param name="Ambient">The task whose body is executing, as far as the code that spawns can see.</param>
/// <param name="Task">What is handed in.</param>
internal sealed record Spawning(SimulatedProcess Host, string? Ambient, AddTask Task) : HistoryEntry(Host)
{
    internal override string Text => $"{(Ambient is null ? "a caller" : Ambient)} spawns on {Task.OwnerThreadId}";
}

/// <summary>A host logged a warning or worse.</summary>
internal sealed record Logged(SimulatedProcess Host, int EventId, string Message, Exception? Exception) : HistoryEntry(Host)
{
    internal override string Text => $"logs: {Message}{(Exception is null ? "" : $" ({Exception.GetType().Name}: {Exception.Message})")}";
}

/// <summary>The store forgot tasks.</summary>
/// <param name="Left">Those that it has still.</param>
internal sealed record TasksForgotten(HashSet<string> Left) : HistoryEntry((SimulatedProcess?)null)
{
    internal override string Text => $"the store has {Left.Count} tasks left";
}
