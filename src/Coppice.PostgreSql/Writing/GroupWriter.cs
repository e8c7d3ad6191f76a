using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// The writer: a thread of its own takes the batches that wait and lands them in one transaction. It waits for no more to come; what arrives
/// while a group is written makes up the next.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "CloseAsync lets go of the connection, on the writer's own thread.")]
internal sealed class GroupWriter
{
    private const int MaxBatches = 512;
    private const int MaxRestarts = 100;
    private const int MostMarks = 4096;

    // A number that this process had taken may have come to somebody else with a snapshot; and two hosts may find at the same time that a thread
    // is not there yet, so that neither has its lock, and give one name in it.
    private const string Number = "task_ids_pkey";
    private const string Name = "branches_by_name";

    // Whoever comes meanwhile waits for it.
    private static readonly TimeSpan LongestSettle = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(100);

    private readonly Database _database;
    private readonly StoreMemory _memory;
    private readonly Listeners _listeners;
    private readonly NewsDesk _news;
    private readonly CommitQueue _queue = new();
    private readonly Queue<PendingCommit> _again = [];
    private readonly ConcurrentQueue<ReadMark> _marks = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RowStore? _store;
    private BatchWriter? _batches;
    private CommitGroup? _unsettled;

    public GroupWriter(Database database, StoreMemory memory, Listeners listeners, NewsDesk news)
    {
        _news = news;
        _database = database;
        _memory = memory;
        _listeners = listeners;
        new Thread(Run) { IsBackground = true, Name = "Coppice PostgreSQL writer" }.Start();
    }

    public ValueTask<CommitResult> CommitAsync(MutationBatch? batch, CancellationToken cancellationToken)
    {
        var pending = new PendingCommit(batch);
        pending.GiveUpOn(cancellationToken);
        if (!_queue.TryAdd(pending))
        {
            pending.TryTake();
            throw new ObjectDisposedException(typeof(PostgreSqlTaskStore).FullName);
        }

        return new ValueTask<CommitResult>(pending.Task);
    }

    /// <summary>Takes in that mail was taken as read.</summary>
    public void Note(ReadMark mark)
    {
        _marks.Enqueue(mark);
        if (_marks.Count > MostMarks)
        {
            // Without it the thread is read anew.
            _marks.TryDequeue(out _);
        }
    }

    /// <summary>Lands what waits, then lets go of the connection.</summary>
    public Task CloseAsync()
    {
        _queue.Close();
        return _ended.Task;
    }

    private void Run()
    {
        while (_again.Count > 0 || _queue.Wait())
        {
            var members = Take();
            if (members.Count > 0)
            {
                Write(members);
            }
        }

        Disconnect();
        _ended.SetResult();
    }

    private List<PendingCommit> Take()
    {
        var members = new List<PendingCommit>();
        while (members.Count < MaxBatches && (_again.TryDequeue(out var pending) || _queue.TryTake(out pending)))
        {
            // What was given back is written alone: one of the group cannot be stored, and the others shall not fail with it.
            members.Add(pending);
            if (_again.Count > 0)
            {
                break;
            }
        }

        return members;
    }

    private void Write(List<PendingCommit> members)
    {
        if (!TrySettle(out var error))
        {
            new CommitGroup(members, _listeners).Failed(error);
            return;
        }

        var rest = WriteAhead(members);
        if (rest.Count > 0)
        {
            // The first part may have lost its answer.
            if (TrySettle(out error))
            {
                WriteByReading(new CommitGroup(rest, _listeners));
            }
            else
            {
                new CommitGroup(rest, _listeners).Failed(error);
            }
        }
    }

    /// <summary>Writes those batches for which all is at hand.</summary>
    /// <returns>Those that have not been answered.</returns>
    private List<PendingCommit> WriteAhead(List<PendingCommit> members)
    {
        if (_store is not { IsBroken: false } store)
        {
            return members;
        }

        while (_marks.TryDequeue(out var mark))
        {
            store.Take(mark);
        }

        var ahead = new List<PendingCommit>(members.Count);
        var rest = new List<PendingCommit>();
        foreach (var member in members)
        {
            (member.Batch is { } batch && store.IsAtHand(batch) ? ahead : rest).Add(member);
        }

        return ahead.Count > 0 && TryWriteAhead(new CommitGroup(ahead, _listeners), store) ? rest : members;
    }

    private void WriteByReading(CommitGroup group)
    {
        IReadOnlyCollection<long> locks = [];
        var isFirstLoss = true;
        for (var restarts = 0; ; restarts++)
        {
            var isSent = false;
            try
            {
                WriteOnce(group, locks);
                isSent = true;
                _store!.Commit(group.Mark);
                break;
            }
            catch (Exception e) when (isSent && ConnectGate.IsOfConnecting(e) && !StoreFaults.IsRefusal(e))
            {
                Disconnect();
                if (HasLandedInTime(group) is { } hasLanded)
                {
                    Answer(group, hasLanded, AsLoss(e));
                }
                else
                {
                    Unsettled(group, AsLoss(e));
                }

                return;
            }
            catch (LocksNeededException e) when (restarts < MaxRestarts)
            {
                locks = [.. locks.Union(e.Threads)];
                StoreMetrics.Restarted("locks");
                TakeBack(group, dropNumbers: false);
            }
            catch (NpgsqlException e) when (restarts < MaxRestarts && (StoreFaults.IsConflict(e) || IsTaken(e, Number) || IsTaken(e, Name)))
            {
                StoreMetrics.Restarted(StoreFaults.IsConflict(e) ? "conflict" : "taken");
                TakeBack(group, IsTaken(e, Number));
            }
            catch (NpgsqlException e) when (isFirstLoss && _store is { IsBroken: true } && StoreFaults.IsStale(e))
            {
                // The connection may have ended while nobody used it, or the server has just started anew. Nothing was committed.
                isFirstLoss = false;
                TakeBack(group, dropNumbers: false);
            }
#pragma warning disable CA1031 // whatever a batch does to its writer is its own caller's to hear
            catch (Exception e)
#pragma warning restore CA1031
            {
                // One that was used after it had ended gives an error that says nothing of that.
                var isLost = e is ObjectDisposedException || (_store is { IsBroken: true } && e is not NpgsqlException);
                TakeBack(group, dropNumbers: false);
                if (isLost)
                {
                    Disconnect();
                }

                Fail(group, isLost ? new NpgsqlException($"The connection has ended. {e.Message}", e) : e);
                return;
            }
        }

        Landed(group);
    }

    /// <summary>Writes a group by what is known here, with one statement; where that does not do, nothing was written.</summary>
    /// <returns>Whether the group has been answered.</returns>
    private bool TryWriteAhead(CommitGroup group, RowStore store)
    {
        switch (CommitAhead(group, store))
        {
            case true:
                Landed(group);
                return true;
            case null:
                return true;
            default:
                TakeBack(group, dropNumbers: false);
                return false;
        }
    }

    /// <summary>Commits a group ahead.</summary>
    /// <returns>Whether it has landed; <see langword="null"/> where that is not known, and its callers were told so.</returns>
    private bool? CommitAhead(CommitGroup group, RowStore store)
    {
        var isSent = false;
        try
        {
            if (!store.TryBeginAhead(group.Batches))
            {
                return false;
            }

            WriteBatches(group);
            group.News = store.News(group.Notices);
            var mark = store.NextMark();
            (group.Mark, group.LacksRevision) = (mark, true);
            isSent = true;
            if (store.CommitAhead(mark) is { } revisions)
            {
                group.RaiseRevisions(revisions);
                return true;
            }

            StoreMetrics.Restarted("changed");
        }
        catch (NotAtHandException)
        {
            StoreMetrics.Restarted("unknown");
        }
        catch (Exception e) when (isSent && ConnectGate.IsOfConnecting(e) && !StoreFaults.IsRefusal(e))
        {
            Disconnect();
            var hasLanded = HasLandedInTime(group);
            if (hasLanded is null)
            {
                Unsettled(group, AsLoss(e));
            }

            return hasLanded;
        }
#pragma warning disable CA1031 // what cannot be written so is written by reading first, and fails there if it has to
        catch (Exception)
#pragma warning restore CA1031
        {
            StoreMetrics.Restarted("refused");
        }

        return false;
    }

    private void WriteOnce(CommitGroup group, IReadOnlyCollection<long> locks)
    {
        Connect();
        _store!.Begin(group.Batches, locks);
        WriteBatches(group);
        group.Notices.CutWork(_store.Kinds);
        group.Mark = group.Batches.Count > 0 ? _store.NextMark() : null;
        group.News = _store.News(group.Notices);
    }

    private void WriteBatches(CommitGroup group)
    {
        foreach (var member in group.Members)
        {
            group.Add(member.Batch is { } batch ? _batches!.Write(batch, group.Notices) : WrittenBatch.None);
        }

        if (_listeners.WantChanges)
        {
            group.Notices.ReadTasks(_store!.Tasks.Snapshot);
        }
    }

    private void Landed(CommitGroup group)
    {
        _store?.Landed();
        group.Landed(_store is { } store ? store.Tasks.Snapshot : static _ => null);
        _news.Landed(group.News);
    }

    /// <summary>Finds out whether a commit landed whose answer was lost, before anybody is answered; <see langword="null"/> where that takes too long.</summary>
    private bool? HasLandedInTime(CommitGroup group)
    {
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began) < LongestSettle;)
        {
            if (HasLanded(group) is { } hasLanded)
            {
                return hasLanded;
            }

            if (!_queue.Pause(SettlePause))
            {
                break;
            }
        }

        return null;
    }

    private void Unsettled(CommitGroup group, NpgsqlException error)
    {
        _unsettled = group;
        group.Failed(() => StoreFaults.Unclear(_database.Place, error));
    }

    private static NpgsqlException AsLoss(Exception error) => error as NpgsqlException ?? new NpgsqlException(error.Message, error);

    private void Answer(CommitGroup group, bool hasLanded, NpgsqlException error)
    {
        if (hasLanded)
        {
            Landed(group);
        }
        else
        {
            group.Failed(() => StoreFaults.From(error, _database.Place, notCommitted: true));
        }
    }

    /// <summary>Whether a transaction whose answer was lost has landed; <see langword="null"/> when that cannot be told yet.</summary>
    private bool? HasLanded(CommitGroup group)
    {
        if (group.Mark is not { } mark)
        {
            // It wrote nothing: only readers came, or all were refused.
            return true;
        }

        try
        {
            Connect();
            var hasLanded = _store!.HasLanded(mark);
            if (hasLanded == true && group.LacksRevision)
            {
                // The one that it got went with the answer; a later one does as well.
                group.RaiseRevisions(_store.NewRevision());
            }

            return hasLanded;
        }
        catch (Exception e) when (ConnectGate.IsOfConnecting(e))
        {
            Disconnect();
            return null;
        }
    }

    /// <summary>A group whose end is not known comes before any other.</summary>
    private bool TrySettle([NotNullWhen(false)] out Func<TaskStoreException>? error)
    {
        error = null;
        if (_unsettled is not { } group)
        {
            return true;
        }

        if (HasLanded(group) is not { } hasLanded)
        {
            error = () => StoreFaults.Unsettled(_database.Place);
            return false;
        }

        _unsettled = null;
        if (hasLanded)
        {
            Landed(group);
        }

        return true;
    }

    /// <summary>Answers a group that was taken back.</summary>
    private void Fail(CommitGroup group, Exception error)
    {
        TaskStoreException Fault() => error switch
        {
            NpgsqlException driver => StoreFaults.From(driver, _database.Place, notCommitted: true),
            TaskStoreException fault => fault,
            _ => StoreFaults.Unstorable(_database.Place, error),
        };

        if (group.Members.Count == 1 || Fault().IsTransient)
        {
            group.Failed(Fault);
        }
        else
        {
            foreach (var member in group.Members)
            {
                _again.Enqueue(member);
            }
        }
    }

    private void TakeBack(CommitGroup group, bool dropNumbers)
    {
        group.Clear();
        try
        {
            _store?.Rollback(dropNumbers);
            if (_store is { IsBroken: true })
            {
                Disconnect();
            }
        }
        catch (Exception e) when (ConnectGate.IsOfConnecting(e))
        {
            // A connection that cannot roll back is of no more use; closing it does.
            Disconnect();
        }
    }

    private static bool IsTaken(NpgsqlException error, string index) =>
        error is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } taken && taken.ConstraintName == index;

    private void Connect()
    {
        if (_store is null)
        {
            _store = new RowStore(_database, _memory, _listeners);
            _batches = new BatchWriter(_store);
            _store.Tidy();
        }
    }

    private void Disconnect()
    {
        _store?.Dispose();
        _store = null;
        _batches = null;
    }
}
