using System.Net.Sockets;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// What every connection of a process goes through that is to be opened. While the database cannot be reached, one at a time tries, after a pause that
/// grows; the others fail at once as it did, so that a thousand callers are no storm for a database that is about to come back.
/// </summary>
internal sealed class ConnectGate(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Backoff _backoff = new();
    private NpgsqlException? _failure;
    private long _failedAt;
    private TimeSpan _pause;
    private bool _isTrying;
    private int _turn;

    /// <summary>Takes in that somebody is about to connect.</summary>
    /// <returns>What to hand to <see cref="Opened"/> or <see cref="Failed"/>.</returns>
    /// <exception cref="NpgsqlException">The database could not be reached a moment ago.</exception>
    public int Enter()
    {
        lock (_lock)
        {
            if (_failure is not null)
            {
                if (_isTrying || time.GetElapsedTime(_failedAt) < _pause)
                {
                    throw new NpgsqlException($"The database could not be reached a moment ago, and is tried again soon. {_failure.Message}", _failure);
                }

                _isTrying = true;
            }

            return _turn;
        }
    }

    public void Opened()
    {
        lock (_lock)
        {
            if (_failure is not null)
            {
                _failure = null;
                _isTrying = false;
                _turn++;
                _backoff.Reset();
            }
        }
    }

    /// <summary>Takes in that a connection was not opened, and tells why in the driver's way.</summary>
    /// <param name="turn">What <see cref="Enter"/> gave.</param>
    /// <param name="error">What the driver threw.</param>
    public NpgsqlException Failed(int turn, Exception error)
    {
        var failure = error as NpgsqlException ?? new NpgsqlException($"The connection could not be opened: {error.Message}", error);
        lock (_lock)
        {
            if (turn != _turn)
            {
                // One that began together with this one has failed or not, and that was later.
                return failure;
            }

            _turn++;
            _isTrying = false;
            _failure = IsOutOfReach(failure) ? failure : null;
            if (_failure is null)
            {
                _backoff.Reset();
            }
            else
            {
                _failedAt = time.GetTimestamp();
                _pause = _backoff.Next();
            }
        }

        return failure;
    }

    /// <summary>Takes in that nobody waits for the connection any more.</summary>
    public void GivenUp(int turn)
    {
        lock (_lock)
        {
            _isTrying &= turn != _turn;
        }
    }

    /// <summary>Whether an exception is one of a connection that could not be opened: the driver lets some of the system's own through.</summary>
    public static bool IsOfConnecting(Exception error) =>
        error is NpgsqlException or SocketException or IOException or TimeoutException or InvalidOperationException and not ObjectDisposedException;

    // A server that answers, and lets nobody in, can be reached; which pool has a connection left is not known here.
    private static bool IsOutOfReach(NpgsqlException failure) =>
        failure is not PostgresException refused
        || refused.SqlState.StartsWith("08", StringComparison.Ordinal) || refused.SqlState.StartsWith("57P", StringComparison.Ordinal);
}
