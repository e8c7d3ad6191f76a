using Coppice.PostgreSql;
using Npgsql;

namespace Coppice;

/// <summary>
/// Tasks and mail in a PostgreSQL database, for any number of hosts. What it has acknowledged survives the death of every host, and of the
/// server as far as PostgreSQL is set up to survive it.
/// </summary>
/// <remarks>
/// <para>
/// Commits of a process that come at the same time share one transaction, each answered for itself. What belongs to one thread is decided by one transaction
/// after the other, on whichever host; transactions of different threads go on side by side.
/// </para>
/// <para>
/// What a process has committed it tells the others right after, by notifications of PostgreSQL: cancels of their tasks, mail for their readers, work, ends, changes.
/// What is lost on the way they find by looking, each <see cref="PostgreSqlTaskStoreOptions.PollInterval"/>. A process that dies is noticed by another at once,
/// which ends or hands on what it left running.
/// </para>
/// <para>
/// A task that a process has ended it reads from memory for a second after; a prune by another host within that second is seen there when it is over.
/// </para>
/// <para>
/// The codes of its <see cref="TaskStoreException"/>s: <c>store_not_found</c>, <c>store_not_openable</c>, <c>store_not_writable</c>,
/// <c>store_too_new</c>, <c>store_too_old</c>, <c>store_full</c>, <c>store_busy</c>, <c>store_read_only</c>, <c>store_rejected</c>,
/// <c>store_corrupt</c>, <c>store_pooled</c> and <c>store_unavailable</c>.
/// </para>
/// </remarks>
public sealed class PostgreSqlTaskStore : ITaskStore
{
    private static readonly TimeSpan MailDepthAge = TimeSpan.FromMinutes(1);

    // Who waits for a task reads it right after its end. For as long another host's prune of it may not be seen here.
    private static readonly TimeSpan EndAge = TimeSpan.FromSeconds(1);

    private readonly Database _database;
    private readonly Listeners _listeners = new();
    private readonly SessionLocks _session;
    private readonly StoreMemory _memory;
    private readonly HostReader _hosts;
    private readonly GroupWriter _writer;
    private readonly StoreReader _reader;
    private readonly NewsDesk _news;
    private long _mailDepthReadAt = TimeProvider.System.GetTimestamp();
    private int _isDisposed;

    private PostgreSqlTaskStore(Database database, NewsChannel channel)
    {
        _database = database;
        _session = new SessionLocks(database);
        _memory = new StoreMemory(_session, channel, database.Options.Time);
        _hosts = new HostReader(database);
        _reader = new StoreReader(database);
        _news = new NewsDesk(database, _reader, _memory, _listeners);
        _writer = new GroupWriter(database, _memory, _listeners, _news);
        _reader.Marked = _writer.Note;
    }

    /// <inheritdoc/>
    public long MailDepth => _memory.MailDepth;

    /// <summary>Gets what passes between processes, for tests.</summary>
    internal NewsDesk News => _news;

    /// <summary>Opens a store for a host, and makes its schema where that is missing or older.</summary>
    /// <param name="connectionString">Where the database is, as Npgsql reads it: <c>Host=…;Database=…;Username=…;Password=…</c>.</param>
    /// <param name="options">How it works; the defaults when it is left out.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> cannot be read, or an option is out of range.</exception>
    /// <exception cref="TaskStoreException">The store cannot be opened; the message says what to do.</exception>
    public static async ValueTask<PostgreSqlTaskStore> OpenAsync(
        string connectionString, PostgreSqlTaskStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var database = new Database(connectionString, (options ?? new PostgreSqlTaskStoreOptions()).CloneChecked());
        try
        {
            NewsChannel channel;
            var connection = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                await Migrator.RunAsync(
                    connection, Migrations.OfStore, database.Schema, database.Options.Migrate, database.Place, cancellationToken).ConfigureAwait(false);
                channel = await NewsChannel.ReadAsync(connection, database.Schema, cancellationToken).ConfigureAwait(false);
            }

            var store = new PostgreSqlTaskStore(database, channel);
            store._memory.MailDepth = await store._reader.MailDepthAsync(cancellationToken).ConfigureAwait(false);
            return store;
        }
        catch (NpgsqlException e)
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw StoreFaults.From(e, database.Place, notCommitted: true);
        }
        catch
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Looks whether hosts can work on a store and whether what they store is kept: the connection, the server and its settings, the schema, what the role may do, the clocks,
    /// the hosts, the room for more. It changes nothing and takes some seconds where hosts are at work, for it waits for their beats.
    /// </summary>
    /// <param name="connectionString">Where the database is, as for <see cref="OpenAsync"/>.</param>
    /// <param name="options">How hosts work; the defaults when it is left out.</param>
    /// <param name="cancellationToken">Stops looking.</param>
    /// <returns>What was found, check by check; what cannot be looked at, because something before it failed, is not in it.</returns>
    /// <exception cref="ArgumentException"><paramref name="connectionString"/> cannot be read, or an option is out of range.</exception>
    public static async ValueTask<IReadOnlyList<StoreCheck>> CheckAsync(
        string connectionString, PostgreSqlTaskStoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        return await StoreDoctor.ExamineAsync(
            connectionString, (options ?? new PostgreSqlTaskStoreOptions()).CloneChecked(), cancellationToken).ConfigureAwait(false);
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
        return batch.Mutations is [JoinHost] ? JoinAsync(batch, cancellationToken) : _writer.CommitAsync(batch, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        if (batch.Result is null)
        {
            // The writer comes to this only when it knows the end of every batch before it.
            await _writer.CommitAsync(batch: null, cancellationToken).ConfigureAwait(false);
        }

        _news.Joined(batch.Result);
        return batch.Result;
    }

    /// <inheritdoc/>
    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();

        // What has ended never changes; of what is live other hosts may know better.
        return _memory.Tasks.Find(taskId, EndAge) is { } task && task.State.IsTerminal()
            ? ValueTask.FromResult<TaskSnapshot?>(task)
            : _reader.GetAsync(taskId, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ThrowIfDisposed();
        return _reader.ListAsync(query, after, limit, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ownerThreadId);
        ThrowIfDisposed();
        return _reader.HasLiveAsync(ownerThreadId, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(nameOrTaskId);
        ThrowIfDisposed();
        return _reader.FindLiveChildAsync(parent, nameOrTaskId, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<MailPage> ReadMailAsync(string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ThrowIfDisposed();
        _memory.Unread.Forget(threadId);
        return _reader.ReadMailAsync(threadId, reader, afterSequence, limit, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ThrowIfDisposed();
        return _reader.ReadConversationAsync(threadId, from, limit, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(taskId);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ThrowIfDisposed();
        return _reader.ReadStepsAsync(taskId, from, limit, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ThrowIfDisposed();
        return _memory.Unread.Find(threadId) is { } events
            ? ValueTask.FromResult(events)
            : _reader.CountUnreadEventsAsync(threadId, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return _reader.ListThreadsWithUnreadMailAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ThrowIfDisposed();
        return _reader.ListDeadLettersAsync(threadId, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ThrowIfDisposed();
        return _reader.ListFailedMessagesAsync(threadId, cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        return _memory.Grown.Any ? DateTimeOffset.MinValue : await _reader.FindNextExpiryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        try
        {
            _session.Check();
            await ReadMailDepthAsync(cancellationToken).ConfigureAwait(false);
            return await _hosts.BeatAsync(fence, _listeners.HandleUnreadMail, cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw StoreFaults.From(e, _database.Place, notCommitted: true);
        }
    }

    /// <inheritdoc/>
    public IDisposable Subscribe(ITaskStoreListener listener)
    {
        ThrowIfDisposed();
        var subscription = _listeners.Add(listener);
        _news.Start();
        return subscription;
    }

    /// <summary>Lands what was handed in and closes the connections. A second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        await _writer.CloseAsync().ConfigureAwait(false);
        await _news.DisposeAsync().ConfigureAwait(false);
        _session.Dispose();
        await _database.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<CommitResult> JoinAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            await _news.ListeningAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw StoreFaults.From(e, _database.Place, notCommitted: true);
        }

        var result = await _writer.CommitAsync(batch, cancellationToken).ConfigureAwait(false);
        _news.Joined(result);
        return result;
    }

    // It costs as much as there are threads; between two looks the store counts what it writes itself.
    private async ValueTask ReadMailDepthAsync(CancellationToken cancellationToken)
    {
        var before = Volatile.Read(ref _mailDepthReadAt);
        if (TimeProvider.System.GetElapsedTime(before) >= MailDepthAge
            && Interlocked.CompareExchange(ref _mailDepthReadAt, TimeProvider.System.GetTimestamp(), before) == before)
        {
            _memory.MailDepth = await _reader.MailDepthAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
}
