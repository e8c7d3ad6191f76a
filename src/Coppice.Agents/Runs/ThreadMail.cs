namespace Coppice.Agents;

/// <summary>
/// A thread's mail as a run reads it: what was read is held until it is acknowledged, and offered again until then. Not for concurrent use.
/// </summary>
internal sealed class ThreadMail : IAsyncDisposable
{
    private readonly Inbox _inbox;
    private readonly bool _ownsInbox;
    private readonly List<InboxItem> _held = [];

    private ThreadMail(Inbox inbox, bool ownsInbox)
    {
        _inbox = inbox;
        _ownsInbox = ownsInbox;
    }

    /// <summary>Gets the mail that was read and is not acknowledged, in order.</summary>
    internal IReadOnlyList<InboxItem> Held => _held;

    internal Inbox Inbox => _inbox;

    internal static async ValueTask<ThreadMail> OpenAsync(BackgroundTaskManager manager, string threadId, CancellationToken cancellationToken) =>
        new(await manager.OpenInboxAsync(threadId, cancellationToken).ConfigureAwait(false), ownsInbox: true);

    /// <summary>Reads with an inbox that somebody else has opened, and will close.</summary>
    internal static ThreadMail Over(Inbox inbox) => new(inbox, ownsInbox: false);

    /// <summary>Takes in what has come meanwhile. Does not wait for more.</summary>
    internal async ValueTask ReadAsync(CancellationToken cancellationToken) =>
        _held.AddRange(await _inbox.DrainAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>Waits for the next piece of mail, and takes it in with all that has come with it.</summary>
    internal async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        _held.Add(await _inbox.ReadAsync(cancellationToken).ConfigureAwait(false));
        await ReadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Mail up to here was acknowledged.</summary>
    internal void Forget(long throughSequence) => _held.RemoveAll(item => item.Sequence <= throughSequence);

    public ValueTask DisposeAsync() => _ownsInbox ? _inbox.DisposeAsync() : ValueTask.CompletedTask;
}
