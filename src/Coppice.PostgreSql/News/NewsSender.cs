using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// Sends news to other processes, on a connection of its own, after the commits that it is of. What comes while something is being sent goes with the next.
/// </summary>
internal sealed class NewsSender(Database database, NewsChannel channel) : IAsyncDisposable
{
    /// <summary>How many pages are sent at once, and so how many may come a second time.</summary>
    internal const int MostPages = 64;

    // How long the news that is there has, when the store is closed.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private readonly NewsQueue _queue = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly long[] _sentAt = new long[MostPages];
    private readonly Lock _gate = new();
    private readonly Backoff _backoff = new();
    private Task _sending = Task.CompletedTask;
    private NpgsqlConnection? _connection;
    private long _number = 1;
    private bool _isSending;
    private bool _isClosed;

    /// <summary>Gets or sets whether what is sent is lost on its way, for tests.</summary>
    internal bool Loses { get; set; }

    /// <summary>Gets how many pages were sent, or lost on their way.</summary>
    internal long Pages => Interlocked.Read(ref _number) - 1;

    /// <summary>Completes when what was there is sent.</summary>
    internal Task IdleAsync()
    {
        lock (_gate)
        {
            return _sending;
        }
    }

    /// <summary>Sends news soon.</summary>
    public void Send(IReadOnlyList<NewsItem> items)
    {
        if (items.Count == 0)
        {
            return;
        }

        _queue.Add(items);
        lock (_gate)
        {
            if (!_isSending && !_isClosed)
            {
                _isSending = true;
                _sending = Task.Run(SendAllAsync);
            }
        }
    }

    /// <summary>A page was heard by this process itself, which says how long it took without asking two clocks.</summary>
    public void Heard(long number)
    {
        if (NewsMetrics.MeasuresDelay && Interlocked.Exchange(ref _sentAt[number % MostPages], 0) is not 0 and var sentAt)
        {
            NewsMetrics.Took(TimeProvider.System.GetElapsedTime(sentAt));
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task sending;
        lock (_gate)
        {
            _isClosed = true;
            sending = _sending;
        }

        try
        {
            await sending.WaitAsync(LastWords).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await Cancellation.EndAsync(_stop).ConfigureAwait(false);
            await sending.ConfigureAwait(false);
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (!IsDone())
            {
                await SendOnceAsync(_queue.Take()).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The store is being closed, and the database does not answer. Others find out by themselves.
        }
    }

    private bool IsDone()
    {
        lock (_gate)
        {
            return !(_isSending = !_queue.IsEmpty);
        }
    }

    private async Task SendOnceAsync(IReadOnlyList<NewsItem> items)
    {
        var pages = NewsText.Write(channel.Process, _number, items);
        var first = _number;
        _number += pages.Count;
        foreach (var chunk in pages.Chunk(MostPages))
        {
            NoteTime(first, chunk.Length);
            first += chunk.Length;
            while (!await TryNotifyAsync(chunk).ConfigureAwait(false))
            {
                // Word for word the same again: who has heard it already knows it by its numbers.
                await Task.Delay(_backoff.Next(), TimeProvider.System, _stop.Token).ConfigureAwait(false);
            }
        }
    }

    private void NoteTime(long first, int count)
    {
        var now = NewsMetrics.MeasuresDelay ? TimeProvider.System.GetTimestamp() : 0;
        for (var number = first; number < first + count; number++)
        {
            Interlocked.Exchange(ref _sentAt[number % MostPages], now);
        }
    }

    private async Task<bool> TryNotifyAsync(string[] pages)
    {
        try
        {
            await NotifyAsync(pages).ConfigureAwait(false);
            NewsMetrics.Sent(pages.Length);
            _backoff.Reset();
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TaskStoreException or InvalidOperationException)
        {
            await ForgetConnectionAsync().ConfigureAwait(false);
            return false;
        }
    }

    private async Task NotifyAsync(string[] pages)
    {
        if (Loses)
        {
            return;
        }

        _connection ??= await database.OpenAsync(_stop.Token).ConfigureAwait(false);

        // What a crash of the server can take back is only news, so nobody waits for the disk.
        var command = new NpgsqlCommand("SELECT pg_notify($1, p), set_config('synchronous_commit', 'off', true) FROM unnest($2) p", _connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = channel.Name }, new NpgsqlParameter<string[]> { TypedValue = pages } },
        };
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(_stop.Token).ConfigureAwait(false);
        }
    }

    private async Task ForgetConnectionAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
