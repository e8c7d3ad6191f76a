using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Coppice.PostgreSql;

/// <summary>
/// What passes between the processes of a schema: it sends the news of this one, tells those of the others to whoever listens here, looks by itself now and
/// then for what has not come through, and waits for the death of the next.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "DisposeAsync disposes of what it owns.")]
internal sealed class NewsDesk : IAsyncDisposable
{
    private const int PagesAtOnce = 256;

    private readonly NewsSender _sender;
    private readonly NewsListener _listener;
    private readonly NewsReader _news;
    private readonly CatchUp _catchUp;
    private readonly Ring _ring;
    private readonly StoreMemory _memory;
    private readonly Listeners _listeners;
    private readonly TimeSpan _pollInterval;
    private readonly Backoff _backoff = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly ConcurrentQueue<long> _closed = new();
    private Task? _running;
    private volatile bool _isUnreadDue;
    private bool _isCatchUpDue;
    private bool _isClosed;

    public NewsDesk(Database database, StoreReader reader, StoreMemory memory, Listeners listeners)
    {
        _memory = memory;
        _listeners = listeners;
        _pollInterval = database.Options.PollInterval;
        _sender = new NewsSender(database, memory.Channel);
        _listener = new NewsListener(database, memory.Channel, database.Options.Logger);
        _news = new NewsReader(reader, memory, listeners, database.Options.Logger) { OnHost = _ => _ring!.Renew(), OnOwn = _sender.Heard };
        _catchUp = new CatchUp(reader, memory, listeners, database.Options.Logger);
        _ring = new Ring(database, reader, memory, listeners);
    }

    /// <summary>Gets what sends, for tests.</summary>
    internal NewsSender Sender => _sender;

    /// <summary>Gets the readers that were let in here, for tests.</summary>
    internal OwnReaders Readers => _memory.Readers;

    /// <summary>Begins, with the first who wants to hear.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_running is null && !_isClosed)
            {
                _listeners.Add(new HostWatch(this));
                _running = Task.WhenAll(
                    Task.Run(() => _listener.RunAsync(_stop.Token)), Task.Run(() => TellAsync(_stop.Token)), Task.Run(() => _ring.RunAsync(_stop.Token)));
            }
        }
    }

    /// <summary>Waits until it hears others, if anybody here wants to: a host that joins has to, or it would miss what it is told from then on.</summary>
    public async Task ListeningAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _running) is not null)
        {
            try
            {
                await _listener.Listening.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new ObjectDisposedException(typeof(PostgreSqlTaskStore).FullName);
            }
        }
    }

    /// <summary>Takes in what became of a batch that lets a host in.</summary>
    public void Joined(CommitResult? result)
    {
        if (result?.Answers is [HostJoined joined])
        {
            _memory.Hosts.Joined(joined.Fence);
            _ring.Renew();
        }
    }

    /// <summary>Sends what others have to hear of a transaction that has landed.</summary>
    public void Landed(IReadOnlyList<NewsItem> items) => _sender.Send(items);

    public async ValueTask DisposeAsync()
    {
        Task? running;
        lock (_gate)
        {
            _isClosed = true;
            running = _running;
        }

        await _sender.DisposeAsync().ConfigureAwait(false);
        await Cancellation.EndAsync(_stop).ConfigureAwait(false);
        if (running is not null)
        {
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _stop.Dispose();
    }

    private async Task TellAsync(CancellationToken stop)
    {
        var next = TimeProvider.System.GetTimestamp();
        var pause = _pollInterval;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var left = pause - TimeProvider.System.GetElapsedTime(next);
                var isMissing = await HearAsync(left, stop).ConfigureAwait(false);
                ReleaseClosed();
                if (isMissing)
                {
                    _isCatchUpDue = _isUnreadDue = true;
                }

                if (_isUnreadDue)
                {
                    // Before it is looked, so that a host that goes meanwhile has it looked again.
                    _isUnreadDue = false;
                    await TellUnreadAsync(stop).ConfigureAwait(false);
                }

                if (_isCatchUpDue || TimeProvider.System.GetElapsedTime(next) >= pause)
                {
                    NewsMetrics.Looked(_isCatchUpDue);
                    await _catchUp.RunAsync(stop).ConfigureAwait(false);
                    _isCatchUpDue = false;
                    (next, pause) = (TimeProvider.System.GetTimestamp(), _pollInterval);
                    _ring.Renew();
                }

                _backoff.Reset();
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // what is not told now is found by the next look, which has to come
            catch (Exception)
#pragma warning restore CA1031
            {
                var due = _backoff.Next();
                (next, pause) = (TimeProvider.System.GetTimestamp(), due < _pollInterval ? due : _pollInterval);
            }
        }
    }

    /// <summary>Waits for news, for so long at the most, and tells them.</summary>
    /// <returns>Whether something is missing that looking finds.</returns>
    private async Task<bool> HearAsync(TimeSpan atMost, CancellationToken stop)
    {
        if (!_listener.Pages.TryPeek(out _) && atMost > TimeSpan.Zero)
        {
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(stop);
            wait.CancelAfter(atMost);
            try
            {
                await _listener.Pages.WaitToReadAsync(wait.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // Nothing came.
            }
        }

        var pages = new List<string>();
        while (pages.Count < PagesAtOnce && _listener.Pages.TryRead(out var page))
        {
            pages.Add(page);
        }

        return await _news.TellAsync(pages, _listener.TakeMissed(), stop).ConfigureAwait(false);
    }

    private async Task TellUnreadAsync(CancellationToken stop)
    {
        try
        {
            await _catchUp.TellUnreadAsync(stop).ConfigureAwait(false);
        }
        catch
        {
            _isUnreadDue = true;
            throw;
        }
    }

    private void HostLeft(HostFence fence)
    {
        _ring.Settled(fence);
        if (_memory.Hosts.Left(fence.Epoch) is null)
        {
            _isUnreadDue = true;
        }
        else
        {
            _closed.Enqueue(fence.Epoch);
        }

        _listener.Wake();
        _ring.Renew();
    }

    /// <summary>Hosts of this process that others have given up need show no more that it lives.</summary>
    private void ReleaseClosed()
    {
        while (_closed.TryDequeue(out var epoch))
        {
            _memory.Session.Release(epoch);
        }
    }

    /// <summary>Hears with the others that a host has gone, whoever has settled it.</summary>
    internal sealed class HostWatch(NewsDesk desk) : ITaskStoreListener
    {
        public bool WantsChanges => false;

        public void OnHostFenced(HostFence fence) => desk.HostLeft(fence);

        public void OnChange(TaskChange change)
        {
        }

        public void OnCancelRequested(string taskId, long ownerEpoch)
        {
        }

        public void OnEnded(string taskId)
        {
        }

        public void OnMail(string threadId, bool wakes, bool hasReader)
        {
        }

        public void OnMailboxOpened(string threadId, Guid reader, Guid? takenFrom)
        {
        }

        public void OnMailLeftUnread(string threadId)
        {
        }

        public void OnWork(string kind, DateTimeOffset? at)
        {
        }
    }
}
