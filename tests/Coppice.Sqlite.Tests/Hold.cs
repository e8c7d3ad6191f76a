using Coppice.StoreContract;

namespace Coppice.Sqlite.Tests;

/// <summary>Holds the writer at the landing of a batch, so that what comes next has to wait.</summary>
internal sealed class Hold : IDisposable
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualResetEventSlim _released = new();

    public void Landed(CommitResult result)
    {
        _reached.TrySetResult();
        _released.Wait(Wait.Guard);
    }

    public Task ReachedAsync() => _reached.Task.Within();

    public void Release() => _released.Set();

    public void Dispose()
    {
        _released.Set();
        _released.Dispose();
    }
}
