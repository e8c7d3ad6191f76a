namespace Coppice.Testing;

/// <summary>
/// What the store has to hold of tasks of registered kinds, as far as a history has come: who has them, and how their attempts count. What is
/// restored is data, and not followed.
/// </summary>
internal sealed class WorkReplay
{
    private readonly Dictionary<string, Held> _tasks = new(StringComparer.Ordinal);

    internal IEnumerable<Held> Tasks => _tasks.Values;

    internal IEnumerable<Held> Running => _tasks.Values.Where(static task => task.Claim != 0);

    internal Held? Find(string taskId) => _tasks.GetValueOrDefault(taskId);

    internal void Apply(HistoryEntry entry)
    {
        switch (entry)
        {
            case BatchApplied applied:
                Apply(applied);
                break;
            case TaskChanged { Change: { Kind: TaskChangeKind.Ended } change } when Find(change.Task.TaskId) is { } task:
                task.IsEnded = true;
                task.Claim = 0;
                break;
            case TaskChanged { Change: { Kind: TaskChangeKind.Restored } change }:
                _tasks.Remove(change.Task.TaskId);
                break;
            case TasksForgotten forgotten:
                foreach (var gone in _tasks.Keys.Where(id => !forgotten.Left.Contains(id)).ToList())
                {
                    _tasks.Remove(gone);
                }

                break;
        }
    }

    /// <summary>The task that a change of an attempt is about, and the claim that it goes by; nothing for other changes.</summary>
    internal static (string TaskId, long Claim)? WriterOf(Mutation mutation) => mutation switch
    {
        FinishTask finish => (finish.TaskId, finish.Claim),
        MoveTask move => (move.TaskId, move.Claim),
        PostEvents post => (post.TaskId, post.Claim),
        CloseAgentInbox close => (close.TaskId, close.Claim),
        HandBackWork back => (back.TaskId, back.Claim),
        StoreStep step => (step.TaskId, step.Claim),
        StoreCheckpoint checkpoint => (checkpoint.TaskId, checkpoint.Claim),
        _ => null,
    };

    private void Apply(BatchApplied applied)
    {
        if (!applied.HasLanded)
        {
            return;
        }

        for (var i = 0; i < applied.Batch.Mutations.Count; i++)
        {
            switch (applied.Batch.Mutations[i], applied.Result.Answers[i])
            {
                case (AddTask { Work: { } work } add, TaskAdded { WasKnown: false } added):
                    _tasks.TryAdd(added.TaskId, new Held(added.TaskId, add.OwnerThreadId, work, add.AgentThreadId) { DueAt = work.DueAt, ReadyAt = work.DueAt ?? applied.Batch.Time });
                    break;
                case (ClaimWork, WorkClaimed claimed):
                    foreach (var work in claimed.Tasks)
                    {
                        Find(work.Task.TaskId)?.Take(work.Claim, applied);
                    }

                    break;
                case (HandBackWork back, WorkHandedBack { State: TaskState.Pending }) when Find(back.TaskId) is { } task:
                    task.HandBack(back, applied);
                    break;
                case (FinishTask finish, TaskFinished) when Find(finish.TaskId) is { } task:
                    task.Claim = 0;
                    break;
                case (_, HostSettled settled):
                    Settle(settled.Recovered, settled.Orphans, applied);
                    break;
                case (_, HostJoined joined):
                    Settle(joined.Recovered, joined.Orphans, applied);
                    break;
            }
        }
    }

    private void Settle(IReadOnlyList<string> recovered, IReadOnlyList<string> ended, BatchApplied applied)
    {
        foreach (var task in recovered.Select(Find).OfType<Held>())
        {
            task.Crashes++;
            task.Claim = 0;
            task.DueAt = null;
            task.ReadyAt = applied.Batch.Time;
        }

        foreach (var task in ended.Select(Find).OfType<Held>())
        {
            task.Claim = 0;
            task.WasSettled = true;
        }
    }

    internal sealed class Held(string taskId, string threadId, NewWork work, string? agentThreadId)
    {
        internal string TaskId => taskId;

        internal string ThreadId => threadId;

        internal NewWork Work => work;

        internal string? AgentThreadId => agentThreadId;

        /// <summary>Gets or sets the claim of the attempt that has it; 0 while it is pending and once it has ended.</summary>
        internal long Claim { get; set; }

        /// <summary>Gets the commit with which it was claimed last.</summary>
        internal BatchApplied? Taken { get; private set; }

        internal int Attempt { get; private set; }

        internal int Failures { get; private set; }

        internal int Crashes { get; set; }

        /// <summary>Gets or sets from when on it may begin, while it is pending.</summary>
        internal DateTimeOffset ReadyAt { get; set; }

        /// <summary>Gets or sets the time that was set for it, while it is pending.</summary>
        internal DateTimeOffset? DueAt { get; set; }

        /// <summary>Gets or sets whether it ended because its host was gone.</summary>
        internal bool WasSettled { get; set; }

        internal bool IsEnded { get; set; }

        internal void Take(long claim, BatchApplied by)
        {
            Claim = claim;
            Taken = by;
            Attempt++;
        }

        internal void HandBack(HandBackWork back, BatchApplied by)
        {
            Claim = 0;
            DueAt = back.DueAt;
            ReadyAt = back.DueAt is { } due && due > by.Batch.Time ? due : by.Batch.Time;
            if (back.Error is null)
            {
                Attempt--;
            }
            else
            {
                Failures++;
            }
        }
    }
}
