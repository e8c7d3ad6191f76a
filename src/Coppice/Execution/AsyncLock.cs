namespace Coppice;

/// <summary>Lets one caller in at a time; the others wait without a thread, and in no order.</summary>
internal sealed class AsyncLock(WorkScheduler scheduler)
{
    private readonly Pulse _freed = new(scheduler);
    private int _isHeld;

    /// <summary>Goes in, to be followed by <see cref="Exit"/>.</summary>
    internal async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        while (Interlocked.Exchange(ref _isHeld, 1) != 0)
        {
            var freed = _freed.Next();
            if (Interlocked.Exchange(ref _isHeld, 1) == 0)
            {
                return;
            }

            await freed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    internal void Exit()
    {
        Volatile.Write(ref _isHeld, 0);
        _freed.Raise();
    }
}
