using System.Text.Json;

namespace Coppice.Testing;

/// <summary>What the laws are judged by: the history, sorted by task, and what the store held when everything had come to rest and at the end.</summary>
internal sealed class Evidence(HistoryRun run, bool leavesGaps)
{
    private readonly Dictionary<string, TaskFile> _tasks = new(StringComparer.Ordinal);
    private readonly Dictionary<long, HostClosing> _closed = [];
    private HashSet<string>? _agents;
    private readonly Dictionary<string, IReadOnlyList<DeadLetter>> _deadLetters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<FailedMessage>> _failedMessages = new(StringComparer.Ordinal);

    internal bool LeavesGaps => leavesGaps;

    internal IReadOnlyList<HistoryEntry> Entries => run.Recorder.Entries;

    internal IReadOnlyDictionary<string, TaskFile> Tasks => _tasks;

    /// <summary>Gets when each host's fence was closed, by epoch.</summary>
    internal IReadOnlyDictionary<long, HostClosing> Closed => _closed;

    internal MailLedger Mail => run.Shared.Mail;

    internal IReadOnlyDictionary<string, IReadOnlyList<DeadLetter>> DeadLetters => _deadLetters;

    /// <summary>Gets the conversations as they are at the end.</summary>
    internal Dictionary<string, IReadOnlyList<JsonElement>> Conversations { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the messages that have failed at the end, by their sender's thread.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyList<FailedMessage>> FailedMessages => _failedMessages;

    /// <summary>Gets whether failed messages were put back into mailboxes, to places that nobody is told of.</summary>
    internal bool HasReplays => Applied.SelectMany(static applied => applied.Landed<ReplayFailedMessages, MessagesReplayed>())
        .Any(static replay => replay.Answer.Count > 0);

    internal IReadOnlyList<SimulatedHost> Hosts => run.Hosts;

    internal static DateTimeOffset TimeOf(HistoryEntry entry) => TimeZero + entry.At;

    internal HashSet<SimulatedProcess> AliveAtRest { get; } = [];

    internal Dictionary<string, TaskSnapshot> AtRest { get; private set; } = [];

    internal Dictionary<string, TaskSnapshot> AtEnd { get; private set; } = [];

    /// <summary>Gets the place of the rest in the history.</summary>
    internal int Rest { get; private set; }

    /// <summary>Gets the threads of agents of registered kinds, whose mail outlives an attempt.</summary>
    internal HashSet<string> Agents => _agents ??=
    [
        .. _tasks.Values.Where(static task => task.Work is not null).Select(static task => task.Add!.AgentThreadId).OfType<string>(),
    ];

    /// <summary>Gets the time at which the history begins, by the clocks of the hosts.</summary>
    internal static DateTimeOffset TimeZero => SimulatedClock.Start;

    internal IEnumerable<BatchApplied> Applied => Entries.OfType<BatchApplied>();

    internal bool IsBeforeRest(HistoryEntry? entry) => entry is not null && entry.Number < Rest;

    internal TaskFile Of(string taskId)
    {
        if (!_tasks.TryGetValue(taskId, out var file))
        {
            _tasks.Add(taskId, file = new TaskFile(taskId));
        }

        return file;
    }

    internal void TakeAtRest()
    {
        Rest = Entries.Count - 1;
        AtRest = ListTasks();
        AliveAtRest.UnionWith(run.Hosts.Where(static host => host.IsAlive && host.HasStarted && !host.IsDisposing).Select(static host => host.Process));
    }

    /// <summary>Takes everything that the store holds, as a last host of it.</summary>
    internal void TakeAtEnd()
    {
        new Audit(run, _deadLetters, _failedMessages, Conversations).Take();
        AtEnd = ListTasks();
        Sort();
    }

    private Dictionary<string, TaskSnapshot> ListTasks() =>
        run.Loop.Await(() => run.Shared.Inner.ListAsync(new TaskQuery(), null, int.MaxValue, CancellationToken.None))
            .ToDictionary(static task => task.TaskId, StringComparer.Ordinal);

    private void Sort()
    {
        foreach (var entry in Entries)
        {
            switch (entry)
            {
                case BatchApplied applied: Sort(applied); break;
                case TaskChanged changed: Sort(Of(changed.Change.Task.TaskId), changed); break;
                case TasksForgotten forgotten: Forget(forgotten); break;
                case SpawnAcknowledged acknowledged: Of(acknowledged.TaskId).Acknowledged = acknowledged; break;
                case BodyStarted started: Of(started.TaskId).Run(started.Claim).Starts.Add(started); break;
                case AttemptBegan began: Of(began.TaskId).Run(began.Claim).Began ??= began; break;
                case BodyEnded ended: Of(ended.TaskId).Run(ended.Claim).BodyEnd = ended; break;
                case BodySignalled signalled: Of(signalled.TaskId).Run(signalled.Claim).Signalled ??= signalled; break;
                case EventEmitted emitted: Of(emitted.Event.TaskId).Run(emitted.Claim).Emitted.Add(emitted); break;
                case HostClosed closed: Close(closed.Fence, closed); break;
            }
        }
    }

    private static void Sort(TaskFile task, TaskChanged changed)
    {
        task.CameBack |= task.IsForgotten && changed.Change.Kind == TaskChangeKind.Restored;
        if (!task.CameBack)
        {
            task.Changes.Add(changed);
        }
        else
        {
            task.LaterOwners.Add(changed.Change.Task.OwnerThreadId);
        }
    }

    private void Forget(TasksForgotten forgotten)
    {
        foreach (var task in _tasks.Values.Where(task => task.Changes.Count > 0 && !forgotten.Left.Contains(task.TaskId)))
        {
            task.IsForgotten = true;
        }
    }

    private void Sort(BatchApplied applied)
    {
        foreach (var (add, answer) in applied.Landed<AddTask, TaskAdded>().Where(static added => !added.Answer.WasKnown))
        {
            var file = Of(answer.TaskId);
            file.Added ??= applied;
            file.Add ??= add;
            if (add.Work is null)
            {
                file.Run(0).Taken ??= applied;
            }
        }

        foreach (var (_, claimed) in applied.Landed<ClaimWork, WorkClaimed>())
        {
            foreach (var work in claimed.Tasks)
            {
                var run = Of(work.Task.TaskId).Run(work.Claim);
                run.Taken ??= applied;
                run.Work ??= work;
            }
        }

        foreach (var (finish, _) in applied.Landed<FinishTask, TaskFinished>())
        {
            Finish(Of(finish.TaskId).Run(finish.Claim), finish, applied);
        }

        foreach (var (back, _) in applied.Landed<HandBackWork, WorkHandedBack>())
        {
            Finish(Of(back.TaskId).Run(back.Claim), back, applied);
        }

        foreach (var (_, settled) in applied.Landed<SettleHost, HostSettled>())
        {
            Lose([.. settled.Orphans, .. settled.Recovered], applied);
        }

        foreach (var (_, joined) in applied.Landed<JoinHost, HostJoined>())
        {
            Lose([.. joined.Orphans, .. joined.Recovered], applied);
        }

        foreach (var (settle, _) in applied.Landed<SettleHost, HostSettled>())
        {
            Close(settle.Fence, applied);
        }

        foreach (var _ in applied.Landed<LeaveHost, HostLeft>())
        {
            Close(applied.Batch.Host, applied);
        }
    }

    private static void Finish(RunFile run, Mutation finish, BatchApplied applied)
    {
        run.Finished ??= applied;
        run.Finish ??= finish;
        run.Over ??= applied;
    }

    private void Lose(IEnumerable<string> taskIds, BatchApplied applied)
    {
        foreach (var run in taskIds.Select(taskId => Of(taskId).Last).OfType<RunFile>())
        {
            run.Over ??= applied;
        }
    }

    private void Close(HostFence fence, HistoryEntry by) => _closed.TryAdd(fence.Epoch, new HostClosing(fence, by));

    internal sealed record HostClosing(HostFence Fence, HistoryEntry By);
}
