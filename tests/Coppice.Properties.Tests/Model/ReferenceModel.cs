using System.Collections.Immutable;

namespace Coppice.Properties.Tests.Model;

/// <summary>
/// What Coppice means, in its simplest form: dictionaries, and every question answered by going through all of them. It knows nothing of
/// partitions, indexes, batches or concurrency. Its parts are immutable, so that a copy costs nothing.
/// </summary>
internal sealed class ReferenceModel
{
    internal const int MaxDepth = 3;
    internal const int MaxUnreadMessages = 2;
    internal const string OrphanError = "task orphaned: runtime restarted while running";

    private ImmutableDictionary<string, TaskSnapshot> _tasks = ImmutableDictionary.Create<string, TaskSnapshot>(StringComparer.Ordinal);
    private ImmutableDictionary<string, int> _hosts = ImmutableDictionary.Create<string, int>(StringComparer.Ordinal);
    private ImmutableDictionary<string, (string ThreadId, int Reader)> _agents = ImmutableDictionary.Create<string, (string, int)>(StringComparer.Ordinal);
    private ImmutableSortedDictionary<string, Mailbox> _mail = ImmutableSortedDictionary.Create<string, Mailbox>(StringComparer.Ordinal);
    private ImmutableDictionary<int, Reader> _readers = ImmutableDictionary<int, Reader>.Empty;
    private ImmutableHashSet<int> _runningHosts = [];

    /// <summary>Gets whether it is wrong on purpose: a name is never free again. For the test of the tests.</summary>
    internal bool KeepsNames { get; init; }

    /// <summary>Gets the number of the next task's id.</summary>
    internal long NextNumber { get; private set; }

    internal DateTimeOffset Now { get; set; }

    internal IEnumerable<string> Threads => _tasks.Values.Select(task => task.OwnerThreadId).Concat(_mail.Keys).Distinct(StringComparer.Ordinal);

    internal long MailDepth => _mail.Values.Sum(box => (long)box.Mail.Count);

    internal IEnumerable<string> ThreadsThatCallForAReader => _mail.Where(each => each.Value.CallsForReader).Select(each => each.Key);

    internal ReferenceModel Copy() => (ReferenceModel)MemberwiseClone();

    internal TaskSnapshot? Get(string id) => _tasks.GetValueOrDefault(id);

    internal IReadOnlyList<TaskSnapshot> List(Func<TaskSnapshot, bool>? where = null) =>
        [.. _tasks.Values.Where(where ?? (static _ => true)).OrderBy(task => task.CreatedAt).ThenBy(Number).ThenBy(task => task.TaskId, StringComparer.Ordinal)];

    internal bool HasRunning(string thread) => _tasks.Values.Any(task => task.OwnerThreadId == thread && IsLive(task));

    internal IReadOnlyList<string> LiveOn(int host) => [.. List(IsLive).Select(task => task.TaskId).Where(id => _hosts.GetValueOrDefault(id) == host)];

    internal Mailbox MailOf(string thread) => _mail.GetValueOrDefault(thread, Mailbox.Empty);

    internal void StartHost(int host) => _runningHosts = _runningHosts.Add(host);

    /// <summary>Why a task is refused, or nothing. Asked before <see cref="Spawn"/>.</summary>
    internal SpawnError? Refuses(string thread, string? name, TaskLineage lineage)
    {
        var ancestors = Ancestors(lineage.TaskId).ToList();
        var deciding = ancestors.TakeWhile(task => !IsLive(task)).Concat(ancestors.SkipWhile(task => !IsLive(task)).Take(1));
        return deciding.Any(task => task.CancelRequestedAt is not null) ? SpawnError.ParentCancelled
            : ancestors.Count >= MaxDepth ? SpawnError.TooDeep
            : name is not null && _tasks.Values.Any(task => (KeepsNames || IsLive(task)) && task.OwnerThreadId == thread && task.Name == name) ? SpawnError.DuplicateName
            : null;
    }

    internal void Spawn(int host, string id, string thread, string? name, TaskLineage lineage, (string ThreadId, int Reader)? agent = null)
    {
        _tasks = _tasks.Add(id, new TaskSnapshot
        {
            TaskId = id,
            OwnerThreadId = thread,
            Type = agent is null ? TaskTypes.Task : TaskTypes.SubAgent,
            AgentThreadId = agent?.ThreadId,
            Name = name,
            State = TaskState.Running,
            CreatedAt = Now,
            Lineage = lineage,
        });
        _hosts = _hosts.Add(id, host);
        NextNumber = Math.Max(NextNumber, Number(_tasks[id]) + 1);
        if (agent is { } seat)
        {
            _agents = _agents.Add(id, seat);
            Open(seat.Reader, seat.ThreadId, host);
        }
    }

    /// <summary>Ends a live task.</summary>
    internal void Finish(string id, TaskOutcome outcome)
    {
        var task = _tasks[id];
        _tasks = _tasks.SetItem(id, task with { State = outcome.State, Error = outcome.Error, Result = outcome.Result, CompletedAt = Now });
        Post(task.OwnerThreadId, outcome.State switch
        {
            TaskState.Completed => new TaskCompleted(id, outcome.Result),
            TaskState.Failed => new TaskFailed(id, outcome.Error!),
            _ => new TaskCancelled(id),
        });
        if (_agents.TryGetValue(id, out var seat))
        {
            var box = MailOf(seat.ThreadId).Bury(id);
            SetMail(seat.ThreadId, box.Reader == seat.Reader ? box.Close() : box);
            var reader = _readers[seat.Reader];
            _readers = _readers.SetItem(seat.Reader, reader with { IsDisposed = reader.IsDisposed || box.Reader == seat.Reader });
        }
    }

    internal bool IsReaderOfEndedAgent(int reader) =>
        _agents.Any(each => each.Value.Reader == reader && (Get(each.Key) is not { } task || !IsLive(task)));

    internal void Emit(string id, CustomTaskEvent emitted) => Post(_tasks[id].OwnerThreadId, emitted);

    /// <summary>The live tasks that a cancel reaches; they are marked, unless they were before.</summary>
    internal int Cancel(CancelScope scope, string key)
    {
        var by = scope switch { CancelScope.Task => "user", CancelScope.Tree => "tree:" + key, CancelScope.Thread => "thread", _ => "run:" + key };
        var reached = _tasks.Values.Where(task => IsLive(task) && IsCovered(task, scope, key)).ToList();
        foreach (var task in reached.Where(task => task.CancelRequestedAt is null))
        {
            _tasks = _tasks.SetItem(task.TaskId, task with { CancelRequestedAt = Now, CancelledBy = by });
        }

        return reached.Count;
    }

    internal SendReceipt Send(string id, MessageSender from, string content)
    {
        if (Get(id) is not { } task)
        {
            return new(SendResult.TaskNotFound, null);
        }

        if (task.OwnerThreadId != from.ThreadId)
        {
            return new(SendResult.NotOwner, null);
        }

        if (!IsLive(task))
        {
            return new(SendResult.TaskTerminated, task.State);
        }

        if (!_agents.TryGetValue(id, out var seat))
        {
            return new(SendResult.NoInbox, null);
        }

        if (MailOf(seat.ThreadId).UnreadMessages >= MaxUnreadMessages)
        {
            return new(SendResult.InboxFull, null);
        }

        Post(seat.ThreadId, AgentMessage.Create(id, from.AgentId, content));
        return new(SendResult.Delivered, null);
    }

    /// <summary>The child with the id, else all with the name, the oldest first.</summary>
    internal IReadOnlyList<string> FindLiveChildren(TaskLineage parent, string nameOrId)
    {
        var children = List(task => IsLive(task) && (parent.TaskId is not null
            ? task.Lineage.TaskId == parent.TaskId
            : task.Lineage.TaskId is null && parent.RunId is not null && task.Lineage.RunId == parent.RunId));
        var byId = children.Where(task => task.TaskId == nameOrId).ToList();
        return [.. (byId.Count > 0 ? byId : children.Where(task => task.Name == nameOrId)).Select(task => task.TaskId)];
    }

    internal void Open(int reader, string thread, int host)
    {
        SetMail(thread, MailOf(thread).OpenFor(reader));
        _readers = _readers.SetItem(reader, new Reader(thread, host, MailOf(thread).AcknowledgedThrough, IsDisposed: false));
    }

    internal ReaderState StateOf(int reader) => _readers[reader] switch
    {
        { IsDisposed: true } => ReaderState.Disposed,
        { ThreadId: var thread } when MailOf(thread).Reader != reader => ReaderState.TakenOver,
        _ => ReaderState.Open,
    };

    internal IReadOnlyList<InboxItem> Drain(int number)
    {
        var reader = _readers[number];
        var box = MailOf(reader.ThreadId);
        var items = box.Mail.Where(item => item.Sequence > reader.Cursor).ToList();
        _readers = _readers.SetItem(number, reader with { Cursor = items.Count == 0 ? reader.Cursor : items[^1].Sequence });
        SetMail(reader.ThreadId, box with { ReadThrough = Math.Max(box.ReadThrough, box.LastSequence) });
        return items;
    }

    internal void Acknowledge(int reader, long through)
    {
        var thread = _readers[reader].ThreadId;
        SetMail(thread, MailOf(thread).Acknowledge(through));
    }

    internal void DisposeReader(int number)
    {
        var reader = _readers[number];
        if (StateOf(number) == ReaderState.Open)
        {
            SetMail(reader.ThreadId, MailOf(reader.ThreadId).Close());
        }

        _readers = _readers.SetItem(number, reader with { IsDisposed = true });
    }

    internal RestoreResult Restore(string thread, IReadOnlyList<TaskSnapshot> tasks)
    {
        int added = 0, skipped = 0, orphaned = 0;
        foreach (var task in tasks)
        {
            if (_tasks.ContainsKey(task.TaskId))
            {
                skipped++;
                continue;
            }

            added++;
            var isOrphan = IsLive(task);
            orphaned += isOrphan ? 1 : 0;
            _tasks = _tasks.Add(task.TaskId, isOrphan
                ? task with { OwnerThreadId = thread, State = TaskState.Failed, Error = OrphanError, Result = null, CompletedAt = Now }
                : task with { OwnerThreadId = thread });
            NextNumber = Math.Max(NextNumber, TaskIds.TryParse(task.TaskId, out var number) ? number + 1 : 0);
            if (isOrphan)
            {
                Post(thread, new TaskFailed(task.TaskId, OrphanError));
            }
        }

        return new RestoreResult(added, skipped, orphaned);
    }

    internal int Prune(TimeSpan olderThan)
    {
        var gone = _tasks.Values.Where(task => !IsLive(task) && (task.CompletedAt ?? task.CreatedAt) < Now - olderThan
            && !_tasks.Values.Any(other => IsLive(other) && IsBelow(other, task.TaskId))).ToList();
        _tasks = _tasks.RemoveRange(gone.Select(task => task.TaskId));
        return gone.Count;
    }

    /// <summary>A host stops: its inboxes are closed. Its tasks stay live until <see cref="SettleOrphans"/>.</summary>
    internal void StopHost(int host)
    {
        foreach (var (number, reader) in _readers.Where(each => each.Value.Host == host))
        {
            if (StateOf(number) == ReaderState.Open)
            {
                DisposeReader(number);
            }
        }

        _runningHosts = _runningHosts.Remove(host);
    }

    /// <summary>The live tasks of hosts that have stopped end as failed.</summary>
    internal IReadOnlyList<string> SettleOrphans()
    {
        var orphans = List(task => IsLive(task) && !_runningHosts.Contains(_hosts[task.TaskId])).Select(task => task.TaskId).ToList();
        foreach (var id in orphans)
        {
            Finish(id, TaskOutcome.Failure(OrphanError));
        }

        return orphans;
    }

    /// <summary>All that decides how it goes on, as text.</summary>
    internal string Fingerprint() => string.Join('\n',
    [
        .. List().Select(task => $"{task.TaskId} {task.OwnerThreadId} {task.State} {task.Name} {task.CancelledBy} {task.Lineage.TaskId} {task.Lineage.RunId}"),
        .. _mail.Select(each => $"{each.Key} {each.Value.Reader} {each.Value.AcknowledgedThrough} {each.Value.ReadThrough} {string.Join(',', each.Value.Mail)}"),
        .. _readers.OrderBy(each => each.Key).Select(each => $"{each.Key} {each.Value}"),
    ]);

    private static bool IsLive(TaskSnapshot task) => !task.State.IsTerminal();

    private static long Number(TaskSnapshot task) => TaskIds.TryParse(task.TaskId, out var number) ? number : long.MaxValue;

    private bool IsCovered(TaskSnapshot task, CancelScope scope, string key) => scope switch
    {
        CancelScope.Task => task.TaskId == key,
        CancelScope.Tree => task.TaskId == key || IsBelow(task, key),
        CancelScope.Thread => task.OwnerThreadId == key || Ancestors(task.Lineage.TaskId).Any(above => above.OwnerThreadId == key),
        _ => new[] { task }.Concat(Ancestors(task.Lineage.TaskId)).Any(each => each.Lineage.TaskId is null && each.Lineage.RunId == key),
    };

    /// <summary>Whether an id, known or not, stands somewhere above a task.</summary>
    private bool IsBelow(TaskSnapshot task, string id) =>
        task.Lineage.TaskId == id || Ancestors(task.Lineage.TaskId).Any(above => above.Lineage.TaskId == id);

    /// <summary>The known tasks from a parent upwards, each once.</summary>
    private IEnumerable<TaskSnapshot> Ancestors(string? id)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (; id is not null && seen.Add(id) && _tasks.TryGetValue(id, out var task); id = task.Lineage.TaskId)
        {
            yield return task;
        }
    }

    private void Post(string thread, MailEvent mail) => SetMail(thread, MailOf(thread).Post(mail));

    private void SetMail(string thread, Mailbox box) => _mail = _mail.SetItem(thread, box);
}
