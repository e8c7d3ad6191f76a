namespace Coppice;

/// <summary>Counts what is inside, and once closed lets nothing more in.</summary>
internal sealed class ClosingGate(WorkScheduler scheduler)
{
    private readonly TaskCompletionSource _empty = scheduler.CreateSource();
    private int _inside;
    private int _isClosed;

    /// <summary>Goes in, to be followed by <see cref="Exit"/>; or finds it closed.</summary>
    internal bool TryEnter()
    {
        // Both sides write first and look after, so one of them sees the other.
        Interlocked.Increment(ref _inside);
        if (Volatile.Read(ref _isClosed) == 0)
        {
            return true;
        }

        Exit();
        return false;
    }

    internal void Exit()
    {
        if (Interlocked.Decrement(ref _inside) == 0 && Volatile.Read(ref _isClosed) != 0)
        {
            scheduler.Complete(_empty);
        }
    }

    /// <summary>Closes it, and waits until nothing is inside.</summary>
    internal Task CloseAsync()
    {
        Interlocked.Exchange(ref _isClosed, 1);
        if (Volatile.Read(ref _inside) == 0)
        {
            scheduler.Complete(_empty);
        }

        return _empty.Task;
    }
}
