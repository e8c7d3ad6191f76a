using Coppice.Sqlite;
using Microsoft.Data.Sqlite;

namespace Coppice;

/// <summary>
/// Tasks and mail in one SQLite file, for one host process at a time. What it has acknowledged survives the death of the process and,
/// unless <see cref="SqliteTaskStoreOptions.Synchronous"/> says otherwise, the loss of power.
/// </summary>
/// <remarks>
/// <para>
/// Commits that come at the same time share one transaction and one write to the disk, each answered for itself. Reads go on beside
/// them. A lock on a second file, <c>&lt;path&gt;-lock</c>, keeps other hosts away; several managers of one process may share one
/// store object. Do not open the file with anything that does not go through SQLite.
/// </para>
/// <para>
/// The codes of its <see cref="TaskStoreException"/>s: <c>store_locked</c>, <c>store_not_found</c>, <c>store_not_openable</c>,
/// <c>store_not_writable</c>, <c>store_not_a_store</c>, <c>store_corrupt</c>, <c>store_too_new</c>, <c>store_too_old</c>,
/// <c>store_full</c>, <c>store_busy</c>, <c>store_read_only</c>, <c>store_rejected</c> and <c>store_unavailable</c>.
/// </para>
/// </remarks>
public sealed class SqliteTaskStore : ITaskStore
{
    private readonly StoreFile _file;
    private readonly StoreState _state;
    private readonly GroupWriter? _writer;
    private readonly ReaderPool _readers;
    private readonly StoreLock? _lock;
    private int _isDisposed;

    private SqliteTaskStore(StoreFile file, StoreState state, GroupWriter? writer, StoreLock? storeLock)
    {
        _file = file;
        _state = state;
        _writer = writer;
        _lock = storeLock;
        _readers = new ReaderPool(file, writer is null ? file.OpenReaderOnly : file.OpenReader);
    }

    /// <summary>Gets the file, as a full path.</summary>
    public string Path => _file.Path;

    /// <summary>Gets whether the store takes no commits.</summary>
    public bool IsReadOnly => _writer is null;

    /// <inheritdoc/>
    public long MailDepth => IsReadOnly ? _readers.Read(0, static (reader, _) => reader.MailDepth()) : _state.MailDepth;

    /// <summary>Opens a store for a host, and creates it with its folders where there is none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it works; the defaults when it is left out.</param>
    /// <param name="cancellationToken">Looked at before anything is opened.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or an option is out of range.</exception>
    /// <exception cref="TaskStoreException">The store cannot be opened; the message says what to do. Its code is <c>store_locked</c> when another host has it.</exception>
    public static async ValueTask<SqliteTaskStore> OpenAsync(
        string path, SqliteTaskStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        var file = FileFor(path, options);
        cancellationToken.ThrowIfCancellationRequested();
        file.Prepare();
        var storeLock = StoreLock.Take(file.Path);
        try
        {
            var state = new StoreState();
            var writer = new GroupWriter(file, state);
            await writer.Opened.ConfigureAwait(false);
            return new SqliteTaskStore(file, state, writer, storeLock);
        }
        catch (SqliteException e)
        {
            storeLock.Dispose();
            throw StoreFaults.From(e, file.Path, notCommitted: true);
        }
        catch
        {
            storeLock.Dispose();
            throw;
        }
    }

    /// <summary>Opens a store for a host as <see cref="OpenAsync"/> does, unless another host has it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it works; the defaults when it is left out.</param>
    /// <param name="cancellationToken">Looked at before anything is opened.</param>
    /// <returns>The store, or <see langword="null"/> when another host has it.</returns>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or an option is out of range.</exception>
    /// <exception cref="TaskStoreException">The store cannot be opened for another reason; the message says what to do.</exception>
    public static async ValueTask<SqliteTaskStore?> TryOpenAsync(
        string path, SqliteTaskStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await OpenAsync(path, options, cancellationToken).ConfigureAwait(false);
        }
        catch (TaskStoreException e) when (e.Code == "store_locked")
        {
            return null;
        }
    }

    /// <summary>
    /// Opens a store for reading only, also beside a running host. Every commit is refused with a <see cref="TaskStoreException"/> of
    /// code <c>store_read_only</c>. All mailboxes count as closed.
    /// </summary>
    /// <param name="path">The file; it is not created.</param>
    /// <param name="options">How it works; the defaults when it is left out.</param>
    /// <param name="cancellationToken">Looked at before anything is opened.</param>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty, or an option is out of range.</exception>
    /// <exception cref="TaskStoreException">There is no store (<c>store_not_found</c>), or it cannot be read; the message says what to do.</exception>
    public static ValueTask<SqliteTaskStore> OpenReadOnlyAsync(
        string path, SqliteTaskStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        options = (options ?? new SqliteTaskStoreOptions()).CloneChecked();
        options.CreateIfMissing = false;
        var file = FileFor(path, options);
        cancellationToken.ThrowIfCancellationRequested();
        file.Prepare();
        var store = new SqliteTaskStore(file, new StoreState(), writer: null, storeLock: null);
        _ = store.MailDepth; // opens a connection, which finds out whether the file can be read
        return ValueTask.FromResult(store);
    }

    /// <summary>
    /// Looks whether a host can work on a store and whether what it stores is kept: the file, its folder and disk, who has it, the version, what was left behind. It changes
    /// nothing, and may look beside a running host.
    /// </summary>
    /// <param name="path">The file; it is not created.</param>
    /// <param name="deep">Whether the whole file is read through for damage, which takes as long as reading it takes.</param>
    /// <param name="cancellationToken">Looked at between checks.</param>
    /// <returns>What was found, check by check; what cannot be looked at, because something before it failed, is not in it.</returns>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    public static ValueTask<IReadOnlyList<StoreCheck>> CheckAsync(string path, bool deep = false, CancellationToken cancellationToken = default)
    {
        var doctor = new StoreDoctor(FileFor(path, options: null));
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(doctor.Examine(deep, cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ThrowIfDisposed();
        if (batch.Mutations.Count > 1 && batch.Mutations.Any(static mutation => mutation is ClaimWork))
        {
            throw new ArgumentException("Claiming work needs a batch of its own.", nameof(batch));
        }

        cancellationToken.ThrowIfCancellationRequested();
        return _writer is { } writer
            ? writer.CommitAsync(batch, cancellationToken)
            : throw StoreFaults.ReadOnly(_file.Path);
    }

    /// <inheritdoc/>
    public async ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        if (batch.Result is null && _writer is { } writer)
        {
            // The writer comes to this only when it knows the end of every batch before it.
            await writer.CommitAsync(batch: null, cancellationToken).ConfigureAwait(false);
        }

        return batch.Result;
    }

    /// <inheritdoc/>
    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        if (_state.Recent.FindCommitted(taskId) is { } recent)
        {
            return ValueTask.FromResult<TaskSnapshot?>(recent);
        }

        return Read(taskId, static (reader, id) => reader.Get(id), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return Read((query, after, limit), static (reader, list) => reader.List(list.query, list.after, list.limit), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ownerThreadId);
        return Read(ownerThreadId, static (reader, thread) => reader.HasLive(thread), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(nameOrTaskId);
        return Read((parent, nameOrTaskId), static (reader, child) => reader.FindLiveChild(child.parent, child.nameOrTaskId), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<MailPage> ReadMailAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ThrowIfDisposed();
        if (_state.Mailboxes.FindCommitted(threadId) is not { } mailbox || mailbox.Reader != reader)
        {
            return ValueTask.FromResult(new MailPage(IsReader: false, []));
        }

        return Read((threadId, afterSequence, limit, mailbox, _state.Mailboxes), static (store, mail) =>
        {
            var items = store.ReadMail(mail.threadId, mail.afterSequence, mail.limit);
            if (mail.Mailboxes.FindCommitted(mail.threadId) != mail.mailbox)
            {
                // What was read may have come after another reader had taken the mailbox over.
                return new MailPage(IsReader: false, []);
            }

            if (items.Count > 0)
            {
                mail.mailbox.Skip(items[0].Sequence - 1, (after, through) => store.CountMail(mail.threadId, after, through));
                mail.mailbox.Read(items);
            }

            return new MailPage(IsReader: true, items);
        }, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return Read((threadId, from, limit), static (reader, page) => reader.ReadConversation(page.threadId, page.from, page.limit), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return Read((taskId, from, limit), static (reader, page) => reader.ReadSteps(page.taskId, page.from, page.limit), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ThrowIfDisposed();
        return _state.Mailboxes.FindCommitted(threadId) is { } mailbox
            ? ValueTask.FromResult(mailbox.Unread.Customs)
            : Read(threadId, static (reader, thread) => reader.CountUnacknowledgedEvents(thread), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken) =>
        Read(_state.Mailboxes, static (reader, mailboxes) =>
            (IReadOnlyList<string>)[.. reader.ThreadsThatWake().Where(thread => mailboxes.FindCommitted(thread) is null)], cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        return Read(threadId, static (reader, thread) => reader.DeadLetters(thread), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        return Read(threadId, static (reader, thread) => reader.FailedMessages(thread), cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken) =>
        Read(_state.Grown, static (reader, grown) => grown.Any ? DateTimeOffset.MinValue : reader.NextExpiry(), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_state.Hosts.Beat(fence));
    }

    /// <inheritdoc/>
    public IDisposable Subscribe(ITaskStoreListener listener)
    {
        ThrowIfDisposed();
        return _state.Listeners.Add(listener);
    }

    /// <summary>Lands what was handed in, writes the log back into the file and gives the lock up. A second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _readers.Dispose();
        if (_writer is { } writer)
        {
            await writer.CloseAsync().ConfigureAwait(false);
        }

        _lock?.Dispose();
    }

    private static StoreFile FileFor(string path, SqliteTaskStoreOptions? options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new StoreFile(StoreFile.Resolve(path), (options ?? new SqliteTaskStoreOptions()).CloneChecked());
    }

    /// <summary>Reads at once: the pages wanted are nearly always in memory, and the driver has no asynchronous way to the others.</summary>
    private ValueTask<TResult> Read<TArgument, TResult>(
        TArgument argument, Func<StoreReader, TArgument, TResult> read, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_readers.Read(argument, read));
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
}
