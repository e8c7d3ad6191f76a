using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Coppice;

/// <summary>
/// A thread's mailbox, read by one reader at a time. What was read but not acknowledged comes again when the inbox is next opened. Safe
/// for concurrent use; each item goes to one of the reads.
/// </summary>
/// <remarks>
/// Every method throws <see cref="InboxTakenOverException"/> once the inbox was opened elsewhere, <see cref="ObjectDisposedException"/>
/// once it or its manager is disposed, and <see cref="TaskStoreException"/> when the store fails.
/// </remarks>
public sealed class Inbox : IAsyncDisposable, ICommitObserver
{
    private const int DrainPage = 1024;

    private readonly Mailroom _mailroom;
    private readonly Pulse _arrival;
    private readonly AsyncLock _reading;
    private long _cursor;
    private int _state;
    private int _fate;

    internal Inbox(Mailroom mailroom, string threadId, Guid reader, WorkScheduler scheduler)
    {
        _arrival = new Pulse(scheduler);
        _reading = new AsyncLock(scheduler);
        _mailroom = mailroom;
        ThreadId = threadId;
        Reader = reader;
    }

    private enum State
    {
        Open,
        TakenOver,
        Disposed,
    }

    private enum Fate
    {
        Undecided,
        Landed,
        Abandoned,
    }

    /// <summary>Gets the thread whose mailbox it is.</summary>
    public string ThreadId { get; }

    internal Guid Reader { get; }

    /// <summary>Reads what is there and not yet read. Does not wait for more.</summary>
    /// <param name="cancellationToken">Stops waiting for the store; nothing is lost.</param>
    /// <returns>The mail in order, perhaps none.</returns>
    public async ValueTask<IReadOnlyList<InboxItem>> DrainAsync(CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        List<InboxItem>? all = null;
        while (true)
        {
            var (page, isLast) = await TakeAsync(DrainPage, cancellationToken).ConfigureAwait(false);
            if (isLast)
            {
                if (all is null)
                {
                    return page;
                }

                all.AddRange(page);
                return all;
            }

            (all ??= []).AddRange(page);
        }
    }

    /// <summary>Reads the next piece of mail, waiting for it if there is none.</summary>
    /// <param name="cancellationToken">Stops waiting; nothing is lost.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<InboxItem> ReadAsync(CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        while (true)
        {
            var arrival = _arrival.Next();
            var (items, _) = await TakeAsync(1, cancellationToken).ConfigureAwait(false);
            if (items.Count > 0)
            {
                return items[0];
            }

            await arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Reads mail as it comes, for as long as the token lets it.</summary>
    /// <param name="cancellationToken">Ends the reading with <see cref="OperationCanceledException"/>; nothing is lost.</param>
    public async IAsyncEnumerable<InboxItem> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            yield return await ReadAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Is done with mail: it does not come again.</summary>
    /// <param name="throughSequence">This and all before it, from 0; beyond the last piece of mail means the last.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="throughSequence"/> is negative.</exception>
    public async ValueTask AckAsync(long throughSequence, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(throughSequence);
        Check(cancellationToken);
        if (!await _mailroom.AcknowledgeAsync(this, throughSequence, cancellationToken).ConfigureAwait(false))
        {
            TakeOver();
            Check(CancellationToken.None);
        }
    }

    /// <summary>
    /// Appends to the thread's conversation, and is done with mail in the same commit: what a model was told and what it answered are stored
    /// together or not at all. Only whoever has the inbox open writes the conversation.
    /// </summary>
    /// <param name="firstEntry">How many entries the conversation has; the place of the first new one, counting from 0.</param>
    /// <param name="entries">The new entries, each at most 1 MB of JSON; kept byte for byte. Perhaps none.</param>
    /// <param name="acknowledgeThrough">The mail that is done with: this and all before it; 0 means none.</param>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <exception cref="ArgumentException">An entry is no JSON or over its limit, or there would be too many.</exception>
    /// <exception cref="ConversationConflictException">
    /// The conversation does not have <paramref name="firstEntry"/> entries; nothing was stored. After a <see cref="TaskStoreException"/>, which
    /// leaves open what became of the append, a second try that gets this with the count it wanted to reach knows that the first has landed.
    /// </exception>
    public async ValueTask AppendAsync(
        int firstEntry, IReadOnlyList<JsonElement> entries, long acknowledgeThrough = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstEntry);
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentOutOfRangeException.ThrowIfNegative(acknowledgeThrough);
        var kept = _mailroom.Rules.CheckEntries(firstEntry, entries, nameof(entries));
        Check(cancellationToken);
        var answer = await _mailroom.AppendAsync(this, firstEntry, kept, acknowledgeThrough, cancellationToken).ConfigureAwait(false);
        if (answer is ConversationMoved moved)
        {
            throw new ConversationConflictException(ThreadId, firstEntry, moved.Count);
        }

        if (answer is not ConversationAppended)
        {
            TakeOver();
            Check(CancellationToken.None);
        }
    }

    /// <summary>Closes the inbox, unless it was taken over. What was not acknowledged stays.</summary>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.CompareExchange(ref _state, (int)State.Disposed, (int)State.Open) != (int)State.Open)
        {
            Interlocked.Exchange(ref _state, (int)State.Disposed);
            return ValueTask.CompletedTask;
        }

        _arrival.Raise();
        return _mailroom.CloseAsync(this);
    }

    void ICommitObserver.OnLanded(CommitResult result, HostFence fence)
    {
        if (Interlocked.CompareExchange(ref _fate, (int)Fate.Landed, (int)Fate.Undecided) == (int)Fate.Undecided)
        {
            _mailroom.Open(this);
        }
        else
        {
            _mailroom.CloseSoon(this);
        }
    }

    /// <summary>Gives the opening up because its commit failed; not if it has landed in the meantime.</summary>
    internal bool TryAbandon() =>
        Interlocked.CompareExchange(ref _fate, (int)Fate.Abandoned, (int)Fate.Undecided) == (int)Fate.Undecided;

    internal void Arrived() => _arrival.Raise();

    /// <summary>Another reader has the mailbox from now on.</summary>
    internal void TakeOver()
    {
        Interlocked.CompareExchange(ref _state, (int)State.TakenOver, (int)State.Open);
        _arrival.Raise();
    }

    /// <summary>The mailbox is closed already, or the manager is disposed: nothing is left to be told to the store.</summary>
    internal void End()
    {
        Interlocked.CompareExchange(ref _state, (int)State.Disposed, (int)State.Open);
        _arrival.Raise();
    }

    internal void StartAfter(long acknowledgedThrough) => _cursor = acknowledgedThrough;

    /// <summary>Takes what is there and has not expired. None means that there is no more.</summary>
    private async ValueTask<(IReadOnlyList<InboxItem> Items, bool IsLast)> TakeAsync(int limit, CancellationToken cancellationToken)
    {
        // The wait is short: nobody keeps the lock while waiting for mail.
        await _reading.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                Check(CancellationToken.None);
                var page = await _mailroom.ReadAsync(this, _cursor, limit, cancellationToken).ConfigureAwait(false);
                if (!page.IsReader)
                {
                    TakeOver();
                    Check(CancellationToken.None);
                }

                if (page.Items.Count > 0)
                {
                    _cursor = page.Items[^1].Sequence;
                }

                var items = _mailroom.WithoutExpired(page.Items);
                if (items.Count > 0 || page.Items.Count < limit)
                {
                    return (items, page.Items.Count < limit);
                }
            }
        }
        finally
        {
            _reading.Exit();
        }
    }

    private void Check(CancellationToken cancellationToken)
    {
        switch ((State)Volatile.Read(ref _state))
        {
            case State.TakenOver: throw new InboxTakenOverException(ThreadId);
            case State.Disposed: throw new ObjectDisposedException(nameof(Inbox));
        }

        _mailroom.ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
    }
}
