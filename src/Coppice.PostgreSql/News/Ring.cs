using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// The ring of processes, in the order of their last hosts: each waits for the lock that the next holds while it lives, on a connection of its own, and so
/// hears at once when it is gone.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore without a handle holds nothing; the connection goes with RunAsync.")]
internal sealed class Ring(Database database, StoreReader reader, StoreMemory memory, Listeners listeners)
{
    // A statement that waits keeps the server from cleaning up behind all others, so it gives up now and then and is sent anew.
    private const string Settings = "SET lock_timeout = '3s'; SET statement_timeout = 0";

    // For a process that lives and has lost the connection with its locks: it takes them again as soon as it notices.
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(200);

    // For the hosts here to settle the one that is gone.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    private readonly Backoff _backoff = new();
    private readonly ConcurrentDictionary<long, long> _noticed = new();
    private readonly SemaphoreSlim _renewed = new(0);
    private NpgsqlConnection? _connection;

    /// <summary>Looks whether there is a next now. Hosts have come or gone, or may have.</summary>
    public void Renew()
    {
        if (_renewed.CurrentCount == 0)
        {
            _renewed.Release();
        }
    }

    /// <summary>A host was settled, here or elsewhere.</summary>
    public void Settled(HostFence fence)
    {
        if (_noticed.TryRemove(fence.Epoch, out var at))
        {
            Log.DeathSettled(database.Options.Logger, fence.HostId, fence.Epoch, (long)TimeProvider.System.GetElapsedTime(at).TotalMilliseconds);
        }
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await WatchAsync(stop).ConfigureAwait(false);
                _backoff.Reset();
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is NpgsqlException or TaskStoreException or InvalidOperationException)
            {
                await ForgetConnectionAsync().ConfigureAwait(false);
                await Task.Delay(_backoff.Next(), TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await ForgetConnectionAsync().ConfigureAwait(false);
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        if (await FindNextAsync(stop).ConfigureAwait(false) is not { } next)
        {
            await _renewed.WaitAsync(stop).ConfigureAwait(false);
            return;
        }

        if (!await WaitWhileNextAsync(next, stop).ConfigureAwait(false))
        {
            return;
        }

        await Task.Delay(Grace, TimeProvider.System, stop).ConfigureAwait(false);
        if (await IsFreeAsync(next, stop).ConfigureAwait(false))
        {
            NoteDeath(next);
            listeners.Tell(new Gone(next));
            await _renewed.WaitAsync(Settling, stop).ConfigureAwait(false);
        }
    }

    // Once, however often it is told until somebody has settled it.
    private void NoteDeath(HostFence host)
    {
        if (_noticed.TryAdd(host.Epoch, TimeProvider.System.GetTimestamp()))
        {
            Log.DeathNoticed(database.Options.Logger, host.HostId, host.Epoch);
        }
    }

    private async Task<bool> WaitWhileNextAsync(HostFence next, CancellationToken stop)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watching = EndWhenAnotherIsNextAsync(next, end);
        try
        {
            return await WaitForAsync(next, end.Token).ConfigureAwait(false);
        }
        finally
        {
            await Cancellation.EndAsync(end).ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }
    }

    /// <summary>Ends the wait when another host is the next, until the wait is ended by somebody else.</summary>
    private async Task EndWhenAnotherIsNextAsync(HostFence next, CancellationTokenSource wait)
    {
        try
        {
            do
            {
                await _renewed.WaitAsync(wait.Token).ConfigureAwait(false);
            }
            while (await FindNextAsync(wait.Token).ConfigureAwait(false) == next);
            await Cancellation.EndAsync(wait).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or TaskStoreException)
        {
            // The wait is over, or ends by itself before long.
        }
    }

    /// <summary>The last host of the process that comes after this one.</summary>
    private async Task<HostFence?> FindNextAsync(CancellationToken stop)
    {
        if (!memory.Hosts.Any)
        {
            return null;
        }

        var processes = await reader.ListProcessesAsync(stop).ConfigureAwait(false);
        var own = processes.FindIndex(each => each.Process == memory.Channel.Process);
        return own >= 0 && processes.Count > 1 ? processes[(own + 1) % processes.Count].Fence : null;
    }

    /// <summary>Waits until the lock of a host is free, or for some seconds.</summary>
    /// <returns>Whether it is free.</returns>
    private async Task<bool> WaitForAsync(HostFence host, CancellationToken stop)
    {
        // An error that is caught does not show up in the log of the server every few seconds.
        var key = KeyOf(host);
        try
        {
            return await RunAsync(
                $"""
                DO $$ BEGIN
                    PERFORM pg_advisory_lock({key});
                    PERFORM pg_advisory_unlock({key});
                    PERFORM set_config('coppice.next', 'free', false);
                EXCEPTION WHEN lock_not_available OR query_canceled THEN
                    PERFORM set_config('coppice.next', 'held', false);
                END $$;
                SELECT current_setting('coppice.next') = 'free'
                """,
                stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task<bool> IsFreeAsync(HostFence host, CancellationToken stop) => await RunAsync(
        $"SELECT CASE WHEN pg_try_advisory_lock({KeyOf(host)}) THEN pg_advisory_unlock({KeyOf(host)}) ELSE false END", stop).ConfigureAwait(false);

    private string KeyOf(HostFence host) => SessionLocks
        .KeySql("host", string.Create(CultureInfo.InvariantCulture, $"'{host.Epoch}'"))
        .Replace("{schema}", database.Schema, StringComparison.Ordinal);

    private async Task<bool> RunAsync(string sql, CancellationToken stop)
    {
        if (_connection is null)
        {
            _connection = await database.OpenAsync(stop).ConfigureAwait(false);
            await ExecuteAsync(Settings, stop).ConfigureAwait(false);
        }

        return await ExecuteAsync(sql, stop).ConfigureAwait(false) is true;
    }

    private async Task<object?> ExecuteAsync(string sql, CancellationToken stop)
    {
        var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            return await command.ExecuteScalarAsync(stop).ConfigureAwait(false);
        }
    }

    private async Task ForgetConnectionAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;

            // To be closed and not kept for a writer, who is to wait for locks for longer than that.
            NpgsqlConnection.ClearPool(connection);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>A host has no process any more. Whoever looks after the hosts does so at once; nobody has given it up yet.</summary>
    private sealed record Gone(HostFence Fence) : Notice
    {
        public override void Tell(ITaskStoreListener listener)
        {
            if (listener is not NewsDesk.HostWatch)
            {
                listener.OnHostFenced(Fence);
            }
        }
    }
}
