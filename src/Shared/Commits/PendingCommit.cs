namespace Coppice.Rows;

/// <summary>A batch on its way through the writer, and its caller's answer. Without a batch it only waits for the writer to pass.</summary>
internal sealed class PendingCommit(MutationBatch? batch) : TaskCompletionSource<CommitResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private CancellationTokenRegistration _giveUp;
    private int _isTaken;

    public MutationBatch? Batch { get; } = batch;

    /// <summary>Lets a token give the batch up, until the writer takes it.</summary>
    public void GiveUpOn(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            _giveUp = token.UnsafeRegister(static (state, cancelled) => ((PendingCommit)state!).GiveUp(cancelled), this);
        }
    }

    /// <summary>Takes the batch for good, unless it was given up.</summary>
    public bool TryTake()
    {
        if (Interlocked.Exchange(ref _isTaken, 1) != 0)
        {
            return false;
        }

        _giveUp.Unregister();
        return true;
    }

    private void GiveUp(CancellationToken token)
    {
        if (Interlocked.Exchange(ref _isTaken, 1) == 0)
        {
            TrySetCanceled(token);
        }
    }
}
