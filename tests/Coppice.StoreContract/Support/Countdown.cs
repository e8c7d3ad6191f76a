namespace Coppice.StoreContract;

/// <summary>Counts events, and can be waited for until there were enough.</summary>
/// <param name="enough">How many are awaited.</param>
public sealed class Countdown(int enough)
{
    private readonly Signal _done = new();
    private int _count;

    /// <summary>Gets how many there were.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Counts one.</summary>
    public void Add()
    {
        if (Interlocked.Increment(ref _count) == enough)
        {
            _done.Set();
        }
    }

    /// <summary>Waits until there were enough, within the guard.</summary>
    public Task WaitAsync() => enough == 0 ? Task.CompletedTask : _done.WaitAsync();
}
