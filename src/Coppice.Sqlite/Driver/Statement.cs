using System.Buffers;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>
/// A prepared statement, used again and again on one connection. It goes to the driver's lower layer because a command object makes a
/// reader and boxes each value, which costs more than most of the statements here.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly Connection _connection;
    private readonly sqlite3_stmt _statement;
    private int _next = 1;

    public Statement(Connection connection, string sql)
    {
        _connection = connection;
        var code = raw.sqlite3_prepare_v3(connection.Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement);
        SqliteException.ThrowExceptionForRC(code, connection.Handle);
    }

    /// <summary>Binds the next parameter.</summary>
    public Statement Bind(long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, _next++, value));
        return this;
    }

    /// <inheritdoc cref="Bind(long)"/>
    public Statement Bind(long? value) => value is { } number ? Bind(number) : BindNull();

    /// <inheritdoc cref="Bind(long)"/>
    public Statement Bind(DateTimeOffset? value) => Bind(value?.ToUnixTimeMilliseconds());

    /// <inheritdoc cref="Bind(long)"/>
    public Statement Bind(string? value)
    {
        if (value is null)
        {
            return BindNull();
        }

        if (value.Length == 0)
        {
            Check(raw.sqlite3_bind_text(_statement, _next++, ""));
            return this;
        }

        var room = Encoding.UTF8.GetMaxByteCount(value.Length);
        var rented = room > 1024 ? ArrayPool<byte>.Shared.Rent(room) : null;
        var bytes = rented ?? stackalloc byte[1024];
        var length = Encoding.UTF8.GetBytes(value, bytes);
        var code = raw.sqlite3_bind_text(_statement, _next++, bytes[..length]);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        Check(code);
        _connection.BoundBytes += length;
        return this;
    }

    /// <summary>Runs a statement that returns nothing.</summary>
    public void Run()
    {
        using var rows = Rows();
        rows.Next();
    }

    /// <summary>Runs a statement and reads one whole number; <see langword="null"/> when there is no row or it is NULL.</summary>
    public long? Scalar()
    {
        using var rows = Rows();
        return rows.Next() ? rows.NumberOrNull(0) : null;
    }

    /// <summary>Runs a statement for its rows. One use at a time.</summary>
    public RowScope Rows() => new(this);

    public void Dispose() => _statement.Dispose();

    private Statement BindNull()
    {
        Check(raw.sqlite3_bind_null(_statement, _next++));
        return this;
    }

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            Reset();
            SqliteException.ThrowExceptionForRC(code, _connection.Handle);
        }
    }

    private bool Step()
    {
        var code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        if (code != raw.SQLITE_DONE)
        {
            SqliteException.ThrowExceptionForRC(code, _connection.Handle);
        }

        return false;
    }

    private void Reset()
    {
        // The code of a reset is that of the step before it, which has been thrown already.
        _ = raw.sqlite3_reset(_statement);
        _ = raw.sqlite3_clear_bindings(_statement);
        _next = 1;
    }

    /// <summary>The rows of one run; its end sets the statement back for the next.</summary>
    internal readonly struct RowScope(Statement owner) : IDisposable
    {
        public bool Next() => owner.Step();

        public bool IsNull(int column) => raw.sqlite3_column_type(owner._statement, column) == raw.SQLITE_NULL;

        public long Number(int column) => raw.sqlite3_column_int64(owner._statement, column);

        public long? NumberOrNull(int column) => IsNull(column) ? null : Number(column);

        public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(owner._statement, column));

        public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

        public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Number(column));

        public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

        public void Dispose() => owner.Reset();
    }
}
