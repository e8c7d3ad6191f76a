using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// The session locks by which the hosts of a store show that their process lives: one for each, on a connection that does nothing else. The
/// database lets go of them when the connection ends, for whatever reason; while the process lives, it then takes them again at once.
/// </summary>
internal sealed class SessionLocks(Database database) : IDisposable
{
    /// <summary>
    /// This life of this server. Its start takes the locks of all hosts away, and a standby that is promoted never had them: only where the server is the
    /// one that a host has its lock on does a lock that nobody has tell that the host is gone.
    /// </summary>
    public const string ServerSql = "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint";

    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly HashSet<long> _epochs = [];
    private NpgsqlConnection? _connection;
    private CancellationTokenSource? _endWatch;
    private Task _watch = Task.CompletedTask;
    private volatile bool _isLost;
    private bool _isDisposed;

    /// <summary>The key of a host's lock: what it is for, the schema and the epoch.</summary>
    public static string KeySql(string purpose, string epoch) => $"hashtextextended('coppice {purpose} {{schema}} ' || {epoch}, 0)";

    /// <summary>Holds the lock of a host of this process until <see cref="Release"/> or the end of the process.</summary>
    public void Hold(long epoch)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _epochs.Add(epoch);
            EndWatch();
            if (_connection is { State: System.Data.ConnectionState.Open })
            {
                Take(_connection, epoch);
            }
            else
            {
                Reconnect();
            }

            BeginWatch();
        }
    }

    public void Release(long epoch)
    {
        lock (_gate)
        {
            if (!_epochs.Remove(epoch) || _connection is null)
            {
                return;
            }

            try
            {
                EndWatch();
                if (_connection is { State: System.Data.ConnectionState.Open } connection)
                {
                    Run(connection, $"SELECT pg_advisory_unlock_shared({KeySql("host", "$1")})", epoch);
                }
                else
                {
                    Reconnect();
                }

                BeginWatch();
            }
            catch (Exception e) when (ConnectGate.IsOfConnecting(e))
            {
                // The connection is gone, and its locks with it. Those of other hosts are taken again with the next heartbeat.
            }
        }
    }

    /// <summary>Sees to it that the locks are held: makes a new connection where the old one is gone.</summary>
    public void Check()
    {
        lock (_gate)
        {
            var isWatched = _endWatch is not null && !_isLost;
            if (_isDisposed || _epochs.Count == 0 || isWatched)
            {
                return;
            }

            EndWatch();
            if (!IsAlive())
            {
                Reconnect();
            }

            BeginWatch();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            EndWatch();
            _connection?.Dispose();
        }
    }

    private bool IsAlive()
    {
        if (_connection is not { State: System.Data.ConnectionState.Open } connection)
        {
            return false;
        }

        try
        {
            using var command = new NpgsqlCommand("SELECT 1", connection);
            command.ExecuteScalar();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>Begins to wait for the end of the connection, which only who reads from it is told of.</summary>
    private void BeginWatch()
    {
        _endWatch = new CancellationTokenSource();
        _isLost = false;
        _watch = WatchAsync(_connection!, _endWatch.Token);
    }

    /// <summary>Has the connection for statements again.</summary>
    private void EndWatch()
    {
        if (_endWatch is not { } end)
        {
            return;
        }

        _endWatch = null;
        Cancellation.End(end);
        if (_watch.Wait(LongestEnd))
        {
            end.Dispose();
            return;
        }

        // It ends on the thread pool, which others may keep busy until they hear from whoever wants the connection now: that one gets another.
        if (_connection is { } abandoned)
        {
            _ = _watch.ContinueWith(_ => Discard(abandoned), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            _connection = null;
        }
    }

    private async Task WatchAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await connection.WaitAsync(stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The connection is wanted.
        }
#pragma warning disable CA1031 // whatever ended it, the locks are gone
        catch (Exception)
#pragma warning restore CA1031
        {
            _isLost = true;

            // Apart, because whoever ends the watch waits for it and may have the gate.
            _ = Task.Run(RetakeAsync, CancellationToken.None);
        }
    }

    private async Task RetakeAsync()
    {
        var backoff = new Backoff();
        while (!TryCheck())
        {
            await Task.Delay(backoff.Next(), TimeProvider.System).ConfigureAwait(false);
        }
    }

    private bool TryCheck()
    {
        try
        {
            Check();
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            return false;
        }
    }

    private void Reconnect()
    {
        if (_connection is { } lost)
        {
            Discard(lost);
        }

        _connection = null;
        _connection = database.Open();
        foreach (var epoch in _epochs)
        {
            Take(_connection, epoch);
        }
    }

    // To be closed and not kept for the next: the locks are the connection's.
    private static void Discard(NpgsqlConnection connection)
    {
        NpgsqlConnection.ClearPool(connection);
        connection.Dispose();
    }

    // Tried and not waited for: who looks whether the lock is free holds it for a moment only.
    private void Take(NpgsqlConnection connection, long epoch) => Run(connection, $"SELECT pg_advisory_lock_shared({KeySql("host", "$1")})", epoch);

    private void Run(NpgsqlConnection connection, string sql, long epoch)
    {
        using var command = new NpgsqlCommand(sql.Replace("{schema}", database.Schema, StringComparison.Ordinal), connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = epoch.ToString(System.Globalization.CultureInfo.InvariantCulture) } },
        };
        command.ExecuteScalar();
    }
}
