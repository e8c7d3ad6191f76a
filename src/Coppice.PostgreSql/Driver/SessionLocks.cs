using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// The session locks by which the hosts of a store show that their process lives: one for each, on a connection that does nothing else. The
/// database lets go of them when the connection ends, for whatever reason.
/// </summary>
internal sealed class SessionLocks(Database database) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<long> _epochs = [];
    private NpgsqlConnection? _connection;
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
            if (_connection is { State: System.Data.ConnectionState.Open })
            {
                Take(_connection, epoch);
            }
            else
            {
                Reconnect();
            }
        }
    }

    public void Release(long epoch)
    {
        lock (_gate)
        {
            if (_epochs.Remove(epoch) && _connection is { State: System.Data.ConnectionState.Open } connection)
            {
                Run(connection, $"SELECT pg_advisory_unlock({KeySql("host", "$1")})", epoch);
            }
        }
    }

    /// <summary>Sees to it that the locks are held: asks the connection, and makes a new one where it is gone.</summary>
    public void Check()
    {
        lock (_gate)
        {
            if (_isDisposed || _epochs.Count == 0)
            {
                return;
            }

            try
            {
                if (_connection is { State: System.Data.ConnectionState.Open } connection)
                {
                    using var command = new NpgsqlCommand("SELECT 1", connection);
                    command.ExecuteScalar();
                    return;
                }
            }
            catch (NpgsqlException)
            {
                // What follows finds out whether the database is there.
            }

            Reconnect();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _connection?.Dispose();
        }
    }

    private void Reconnect()
    {
        if (_connection is not null)
        {
            // To be closed and not kept for the next: the locks are the connection's.
            NpgsqlConnection.ClearPool(_connection);
            _connection.Dispose();
        }

        _connection = database.Open();
        foreach (var epoch in _epochs)
        {
            Take(_connection, epoch);
        }
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
