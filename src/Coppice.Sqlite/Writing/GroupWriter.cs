using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>
/// The single writer: a thread of its own takes the batches that wait and lands them in one transaction, with one write to the disk.
/// It waits for no more to come; what arrives while a group is written makes up the next.
/// </summary>
internal sealed class GroupWriter
{
    private const int MaxBatches = 512;
    private const long MaxBytes = 8 * 1024 * 1024;
    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(100);

    private readonly StoreFile _file;
    private readonly StoreState _state;
    private readonly CommitQueue _queue = new();
    private readonly Queue<PendingCommit> _again = [];
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Counters _before = new();
    private readonly Notices _notices = new();
    private WriterSession? _session;
    private BatchWriter? _batches;
    private CommitGroup? _unsettled;

    public GroupWriter(StoreFile file, StoreState state)
    {
        _file = file;
        _state = state;
        new Thread(Run) { IsBackground = true, Name = "Coppice SQLite writer" }.Start();
    }

    /// <summary>Gets a task that ends when the file is open, or with the reason why it is not.</summary>
    public Task Opened => _opened.Task;

    public ValueTask<CommitResult> CommitAsync(MutationBatch? batch, CancellationToken cancellationToken)
    {
        var pending = new PendingCommit(batch);
        pending.GiveUpOn(cancellationToken);
        if (!_queue.TryAdd(pending))
        {
            pending.TryTake();
            throw new ObjectDisposedException(typeof(SqliteTaskStore).FullName);
        }

        return new ValueTask<CommitResult>(pending.Task);
    }

    /// <summary>Lands what waits, then closes the file.</summary>
    public Task CloseAsync()
    {
        _queue.Close();
        return _ended.Task;
    }

    private void Run()
    {
        try
        {
            OpenSession();
            _state.Counters.SetTo(_session!.Meta.Load());
            _state.Publish();
            _opened.SetResult();
        }
#pragma warning disable CA1031 // handed to whoever opens the store
        catch (Exception e)
#pragma warning restore CA1031
        {
            CloseSession();
            _opened.SetException(e);
            _ended.SetResult();
            return;
        }

        while (_again.Count > 0 || _queue.Wait())
        {
            WriteGroup();
        }

        CheckpointAndClose();
        _ended.SetResult();
    }

    private void WriteGroup()
    {
        if (!TryBegin(out var error))
        {
            FailAllWaiting(error);
            return;
        }

        var group = new CommitGroup(_state, _notices);
        PendingCommit? current = null;
        bool hasChanges;
        try
        {
            _before.SetTo(_state.Counters);
            var changes = _session!.Connection.TotalChanges;
            while (group.Count < MaxBatches && _session.Connection.BoundBytes < MaxBytes && TryTake(out current))
            {
                group.Add(current, current.Batch is { } batch ? _batches!.Write(batch, group.Notices) : WrittenBatch.None);
            }

            current = null;
            _notices.CutWork(_session.Kinds);
            _session.Save();
            hasChanges = _session.Connection.TotalChanges != changes || _state.Counters.NextEpoch != _before.NextEpoch;
            if (hasChanges)
            {
                _session.Meta.Save(_state.Counters);
            }
            else
            {
                // Nothing for the disk: only readers came or went, or all were refused.
                _session.Rollback();
            }
        }
#pragma warning disable CA1031 // whatever a batch does to its writer is its own caller's to hear
        catch (Exception e)
#pragma warning restore CA1031
        {
            TakeBack(e);
            Fail(group, current, e);
            return;
        }

        if (hasChanges)
        {
            Commit(group);
        }
        else
        {
            group.Landed(_session!.Tasks);
        }
    }

    private void Commit(CommitGroup group)
    {
        _state.Recent.Withdraw();
        try
        {
            if (_file.Options.CommitSeam is { } seam)
            {
                seam(_session!.Commit);
            }
            else
            {
                _session!.Commit();
            }
        }
        catch (SqliteException e)
        {
            Settle(group, e);
            return;
        }

        group.Landed(_session!.Tasks);
        _session.Log.Committed();
    }

    /// <summary>Finds out whether a commit landed whose answer was an error, before anybody is answered.</summary>
    private void Settle(CommitGroup group, SqliteException error)
    {
        for (var attempt = 1; attempt <= _file.Options.SettleAttempts; attempt++)
        {
            if (HasLanded(group) is { } hasLanded)
            {
                if (hasLanded)
                {
                    group.Landed(_session!.Tasks);
                }
                else
                {
                    UndoMemory();
                    group.Failed(() => StoreFaults.From(error, _file.Path, notCommitted: true));
                }

                return;
            }

            if (!_queue.Pause(SettlePause))
            {
                break;
            }
        }

        _unsettled = group;
        group.Failed(() => StoreFaults.Unclear(_file.Path, error));
    }

    private bool? HasLanded(CommitGroup group)
    {
        try
        {
            _file.Options.SettleSeam?.Invoke();
            if (_session is null)
            {
                OpenSession();
            }

            _session!.Rollback();
            return _session.Meta.Revision() == group.Revision;
        }
        catch (Exception e) when (e is SqliteException or TaskStoreException)
        {
            CloseSession();
            return null;
        }
    }

    /// <summary>Opens a transaction. A group whose end is not known comes before any other.</summary>
    private bool TryBegin([NotNullWhen(false)] out Func<TaskStoreException>? error)
    {
        error = null;
        try
        {
            if (_unsettled is { } group)
            {
                if (HasLanded(group) is not { } hasLanded)
                {
                    error = () => StoreFaults.Unsettled(_file.Path);
                    return false;
                }

                _unsettled = null;
                if (hasLanded)
                {
                    group.Landed(_session!.Tasks);
                }
                else
                {
                    UndoMemory();
                }
            }

            if (_session is null)
            {
                OpenSession();
            }

            _session!.Begin();
            return true;
        }
        catch (SqliteException e)
        {
            error = () => StoreFaults.From(e, _file.Path, notCommitted: true);
            if (e.SqliteErrorCode is not (raw.SQLITE_BUSY or raw.SQLITE_LOCKED))
            {
                CloseSession();
            }

            return false;
        }
        catch (TaskStoreException e)
        {
            error = () => e;
            return false;
        }
    }

    private bool TryTake([NotNullWhen(true)] out PendingCommit? pending) =>
        _again.TryDequeue(out pending) || _queue.TryTake(out pending);

    private void FailAllWaiting(Func<TaskStoreException> error)
    {
        while (TryTake(out var pending))
        {
            pending.TrySetException(error());
        }
    }

    /// <summary>Answers a group that was taken back.</summary>
    private void Fail(CommitGroup group, PendingCommit? current, Exception error)
    {
        TaskStoreException Fault() => error is SqliteException driver
            ? StoreFaults.From(driver, _file.Path, notCommitted: true)
            : StoreFaults.Unstorable(_file.Path, error);

        if (current is null || Fault().IsTransient)
        {
            group.Failed(Fault);
        }
        else
        {
            // It is this one that cannot be written; the others are written again without it.
            foreach (var member in group.Members)
            {
                _again.Enqueue(member);
            }
        }

        current?.TrySetException(Fault());
    }

    private void TakeBack(Exception error)
    {
        UndoMemory();
        try
        {
            if (error is SqliteException)
            {
                _session!.Rollback();
                return;
            }
        }
        catch (SqliteException)
        {
            // A connection that cannot roll back is of no more use.
        }

        // Closing rolls back too, and does away with a statement that was left half bound.
        CloseSession();
    }

    private void UndoMemory()
    {
        _state.Undo.UndoTo(0);
        _state.Recent.Distrust();
        _state.Counters.SetTo(_before);
        _notices.Clear();
    }

    private void OpenSession()
    {
        var session = new WriterSession(_file, _state);
        _session = session;
        session.Log.Begin();
        _batches = new BatchWriter(new WriterRows(session, _state));
    }

    private void CloseSession()
    {
        _session?.Dispose();
        _session = null;
        _batches = null;
    }

    private void CheckpointAndClose()
    {
        try
        {
            _session?.Connection.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        }
        catch (SqliteException)
        {
            // The log keeps what the file does not have yet; the next to open it goes on from there.
        }

        CloseSession();
    }
}
