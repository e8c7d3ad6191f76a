using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// Listens for the news of other processes, on a connection of its own, and keeps what it hears until it is taken. When the connection breaks it listens
/// again, and says that something may have been missed.
/// </summary>
internal sealed class NewsListener(Database database, NewsChannel channel, ILogger logger)
{
    // What is not taken yet. Beyond that it is dropped, and found out by looking.
    private const int MostPages = 4096;

    private readonly Channel<string> _pages = System.Threading.Channels.Channel.CreateBounded<string>(
        new BoundedChannelOptions(MostPages) { SingleReader = true });

    private TaskCompletionSource _listening = NewSource();
    private readonly Backoff _backoff = new();
    private bool _hasListened;
    private long? _silentSince;
    private int _hasMissed;

    public ChannelReader<string> Pages => _pages.Reader;

    /// <summary>Completes when it listens for the first time. Fails with the attempt that is under way; the next has a task of its own.</summary>
    public Task Listening => Volatile.Read(ref _listening).Task;

    /// <summary>Whether something may have been missed since this was last asked.</summary>
    public bool TakeMissed() => Interlocked.Exchange(ref _hasMissed, 0) != 0;

    /// <summary>Has whoever waits for news look up.</summary>
    public void Wake() => _pages.Writer.TryWrite("");

    /// <summary>Listens until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stop).ConfigureAwait(false);
            }
            catch (Exception e) when (!stop.IsCancellationRequested && e is NpgsqlException or TaskStoreException or InvalidOperationException or IOException)
            {
                NoteLost(e);
                if (!_hasListened)
                {
                    Interlocked.Exchange(ref _listening, NewSource()).TrySetException(e);
                }

                await Task.Delay(_backoff.Next(), TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
        }

        _listening.TrySetCanceled(CancellationToken.None);
    }

    private static TaskCompletionSource NewSource()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // It may be that nobody waits for it.
        _ = source.Task.ContinueWith(
            static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return source;
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        var connection = await database.OpenAsync(stop).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            connection.Notification += (_, news) => Heard(news.Payload);
            var listen = new NpgsqlCommand($"LISTEN {channel.Name}", connection);
            await using (listen.ConfigureAwait(false))
            {
                await listen.ExecuteNonQueryAsync(stop).ConfigureAwait(false);
            }

            _backoff.Reset();
            if (_hasListened)
            {
                NewsMetrics.Reconnected();
                NewsMetrics.Missed("connection");
                Missed();
            }

            if (_silentSince is { } since)
            {
                _silentSince = null;
                Log.ListenerBack(logger, (long)TimeProvider.System.GetElapsedTime(since).TotalMilliseconds);
            }

            _hasListened = true;
            _listening.TrySetResult();

            while (true)
            {
                await connection.WaitAsync(stop).ConfigureAwait(false);
            }
        }
    }

    // Once, until it is back: each attempt fails for what the first did, or for what an operator sees elsewhere.
    private void NoteLost(Exception exception)
    {
        if (_silentSince is null)
        {
            _silentSince = TimeProvider.System.GetTimestamp();
            Log.ListenerLost(logger, (long)database.Options.PollInterval.TotalMilliseconds, exception);
        }
    }

    private void Heard(string page)
    {
        if (!_pages.Writer.TryWrite(page) && Interlocked.Exchange(ref _hasMissed, 1) == 0)
        {
            NewsMetrics.Missed("overflow");
            Log.NewsMissing(logger, "more came than could be told");
        }
    }

    private void Missed()
    {
        Interlocked.Exchange(ref _hasMissed, 1);
        Wake();
    }
}
