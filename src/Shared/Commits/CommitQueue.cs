using System.Diagnostics.CodeAnalysis;

namespace Coppice.Rows;

/// <summary>Where batches wait for the writer. Its length is bounded by the number of callers, each of which waits for its own.</summary>
internal sealed class CommitQueue
{
    private readonly object _gate = new();
    private readonly Queue<PendingCommit> _waiting = [];
    private volatile bool _isClosed;
    private readonly BriefSpin _spin = new();
    private volatile int _length;
    private bool _isAsleep;

    /// <summary>Adds a batch at the end.</summary>
    /// <returns>Whether the queue still takes any.</returns>
    public bool TryAdd(PendingCommit pending)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return false;
            }

            _waiting.Enqueue(pending);
            _length++;
            if (_isAsleep)
            {
                Monitor.Pulse(_gate);
            }

            return true;
        }
    }

    /// <summary>Waits for a batch.</summary>
    /// <returns>Whether there is one; if not, the queue is closed and empty.</returns>
    public bool Wait()
    {
        var begun = _spin.Until(this, static queue => queue._length > 0 || queue._isClosed);
        lock (_gate)
        {
            while (_waiting.Count == 0 && !_isClosed)
            {
                _isAsleep = true;
                Monitor.Wait(_gate);
                _isAsleep = false;
            }
        }

        _spin.Waited(begun);
        return _length > 0;
    }

    /// <summary>Waits a while, or until the queue is closed.</summary>
    /// <returns>Whether the queue is still open.</returns>
    public bool Pause(TimeSpan pause)
    {
        lock (_gate)
        {
            return !_isClosed && (!Monitor.Wait(_gate, pause) || !_isClosed);
        }
    }

    /// <summary>Takes the next batch that nobody has given up.</summary>
    public bool TryTake([NotNullWhen(true)] out PendingCommit? pending)
    {
        lock (_gate)
        {
            while (_waiting.TryDequeue(out pending))
            {
                _length--;
                if (pending.TryTake())
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Takes no more; what is there is still handed out.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.PulseAll(_gate);
        }
    }
}
