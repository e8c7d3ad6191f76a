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

    // A number that this process had taken may have come to somebody else with a snapshot; and two hosts may find at the same time that a thread
    // is not there yet, so that neither has its lock, and give one name in it.
    private const string Number = "task_ids_pkey";
    private const string Name = "branches_by_name";

    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(100);

    private readonly Database _database;
    private readonly StoreMemory _memory;
    private readonly Listeners _listeners;
    private readonly CommitQueue _queue = new();
    private readonly Queue<PendingCommit> _again = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RowStore? _store;
    private BatchWriter? _batches;
    private CommitGroup? _unsettled;

    public GroupWriter(Database database, StoreMemory memory, Listeners listeners)
    {
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
                Write(new CommitGroup(members, _listeners));
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

    private void Write(CommitGroup group)
    {
        if (!TrySettle(out var error))
        {
            group.Failed(error);
            return;
        }

        IReadOnlyCollection<long> locks = [];
        for (var restarts = 0; ; restarts++)
        {
            var isSent = false;
            try
            {
                WriteOnce(group, locks);
                isSent = true;
                _store!.Commit();
                break;
            }
            catch (NpgsqlException e) when (isSent && !StoreFaults.IsRefusal(e))
            {
                Disconnect();
                Settle(group, e);
                return;
            }
            catch (LocksNeededException e) when (restarts < MaxRestarts)
            {
                locks = [.. locks.Union(e.Threads)];
                TakeBack(group, dropNumbers: false);
            }
            catch (NpgsqlException e) when (restarts < MaxRestarts && (StoreFaults.IsConflict(e) || IsTaken(e, Number) || IsTaken(e, Name)))
            {
                TakeBack(group, IsTaken(e, Number));
            }
#pragma warning disable CA1031 // whatever a batch does to its writer is its own caller's to hear
            catch (Exception e)
#pragma warning restore CA1031
            {
                TakeBack(group, dropNumbers: false);
                Fail(group, e);
                return;
            }
        }

        Landed(group);
    }

    private void WriteOnce(CommitGroup group, IReadOnlyCollection<long> locks)
    {
        Connect();
        var batches = group.Members.Select(static member => member.Batch).OfType<MutationBatch>().ToList();
        _store!.Begin(batches, locks);
        foreach (var member in group.Members)
        {
            group.Add(member.Batch is { } batch ? _batches!.Write(batch, group.Notices) : WrittenBatch.None);
        }

        group.Notices.CutWork(_store.Kinds);
        group.TransactionId = _store.TransactionId;
        if (_listeners.WantChanges)
        {
            group.Notices.ReadTasks(_store.Tasks.Snapshot);
        }
    }

    private void Landed(CommitGroup group)
    {
        _store?.Landed();
        group.Landed(_store is { } store ? store.Tasks.Snapshot : static _ => null);
    }

    /// <summary>Finds out whether a commit landed whose answer was an error, before anybody is answered.</summary>
    private void Settle(CommitGroup group, NpgsqlException error)
    {
        for (var attempt = 0; attempt < 50; attempt++)
        {
            if (HasLanded(group) is { } hasLanded)
            {
                Answer(group, hasLanded, error);
                return;
            }

            if (!_queue.Pause(SettlePause))
            {
                break;
            }
        }

        _unsettled = group;
        group.Failed(() => StoreFaults.Unclear(_database.Place, error));
    }

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
        if (group.TransactionId is not { } id)
        {
            // It wrote nothing: only readers came, or all were refused.
            return true;
        }

        try
        {
            Connect();
            return _store!.StatusOf(id) switch { "committed" => true, "aborted" => false, _ => null };
        }
        catch (NpgsqlException)
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
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
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
        }
    }

    private void Disconnect()
    {
        _store?.Dispose();
        _store = null;
        _batches = null;
    }
}
