namespace Coppice;

/// <summary>x</summary>
public sealed class Inbox : IAsyncDisposable
{
    /// <summary>x</summary>
    public string ThreadId => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<IReadOnlyList<InboxItem>> DrainAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<InboxItem> ReadAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public IAsyncEnumerable<InboxItem> ReadAllAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask AckAsync(long throughSequence, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
