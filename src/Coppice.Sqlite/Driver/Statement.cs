using System.Buffers;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>
/// A prepared statement, used again and again on one connection. It goes to the driver's lower layer because a command object makes a
/// reader and boxes each value, which costs more than most of the statements here.
/// </summary>
/// <remarks>
/// Each use binds every parameter, in order. What a parameter holds stays for the next use, which therefore need not bind again what
/// is the same: NULL, a number, or the same short string.
/// </remarks>
internal sealed class Statement : IDisposable
{
    // Longer text is let go of after its use.
    private const int LongText = 4096;
    private const int ShortText = 64;

    // What a parameter is known to hold, beside a string that is one.
    private static readonly object Null = new();
    private static readonly object Number = new();

    private readonly Connection _connection;
    private readonly sqlite3_stmt _statement;

    // By parameter from 1: what is known of its value. A string, or Null, or Number and then which, or nothing.
    private readonly object?[] _bound;
    private readonly long[] _numbers;
    private int _next = 1;
    private bool _holdsLongText;

    public Statement(Connection connection, string sql)
    {
        _connection = connection;
        connection.Check(raw.sqlite3_prepare_v3(connection.Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
        _bound = new object?[raw.sqlite3_bind_parameter_count(_statement) + 1];
        Array.Fill(_bound, Null);
        _numbers = new long[_bound.Length];
    }

    /// <summary>Binds the next parameter.</summary>
    public Statement Bind(long value)
    {
        if (ReferenceEquals(_bound[_next], Number) && _numbers[_next] == value)
        {
            _next++;
            return this;
        }

        _numbers[_next] = value;
        Check(raw.sqlite3_bind_int64(_statement, Next(Number), value));
        return this;
    }

    /// <inheritdoc cref="Bind(long)"/>
    public Statement Bind(long? value) => value is { } number ? Bind(number) : BindNull();

    /// <inheritdoc cref="Bind(long)"/>
    public Statement Bind(DateTimeOffset? value) => value is { } time ? Bind(time.ToUnixTimeMilliseconds()) : BindNull();

    /// <inheritdoc cref="Bind(long)"/>
    public Statement Bind(string? value)
    {
        if (value is null)
        {
            return BindNull();
        }

        if (value.Length <= ShortText && ReferenceEquals(_bound[_next], value))
        {
            _next++;
            return this;
        }

        var room = Encoding.UTF8.GetMaxByteCount(value.Length);
        var rented = room > 1024 ? ArrayPool<byte>.Shared.Rent(room) : null;
        var bytes = rented ?? stackalloc byte[1024];
        var length = Encoding.UTF8.GetBytes(value, bytes);
        BindUtf8(bytes[..length], value.Length <= ShortText ? value : null);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return this;
    }

    /// <summary>Binds the next parameter to text that is UTF-8 already.</summary>
    public Statement BindUtf8(ReadOnlySpan<byte> text)
    {
        BindUtf8(text, null);
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

    /// <summary>Runs a statement and reads one whole number of each row.</summary>
    public List<long> Numbers()
    {
        var numbers = new List<long>();
        AddTo(numbers);
        return numbers;
    }

    /// <summary>Runs a statement and adds one whole number of each row.</summary>
    public void AddTo(ICollection<long> numbers)
    {
        using var rows = Rows();
        while (rows.Next())
        {
            numbers.Add(rows.Number(0));
        }
    }

    /// <summary>Runs a statement for its rows. One use at a time.</summary>
    public RowScope Rows() => new(this);

    public void Dispose() => _statement.Dispose();

    private Statement BindNull()
    {
        if (ReferenceEquals(_bound[_next], Null))
        {
            _next++;
            return this;
        }

        Check(raw.sqlite3_bind_null(_statement, Next(Null)));
        return this;
    }

    private void BindUtf8(ReadOnlySpan<byte> text, string? known)
    {
        var parameter = Next(known);

        // An empty span has no address, and that would bind NULL.
        Check(text.IsEmpty ? raw.sqlite3_bind_text(_statement, parameter, "") : raw.sqlite3_bind_text(_statement, parameter, text));
        _connection.BoundBytes += text.Length;
        _holdsLongText |= text.Length > LongText;
    }

    private int Next(object? known)
    {
        _bound[_next] = known;
        return _next++;
    }

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            Forget();
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
        _next = 1;
        if (_holdsLongText)
        {
            Forget();
        }
    }

    private void Forget()
    {
        _ = raw.sqlite3_reset(_statement);
        _ = raw.sqlite3_clear_bindings(_statement);
        Array.Fill(_bound, Null);
        _holdsLongText = false;
    }

    /// <summary>The rows of one run; its end sets the statement back for the next.</summary>
    internal readonly struct RowScope(Statement owner) : IDisposable
    {
        public bool Next() => owner.Step();

        public bool IsNull(int column) => raw.sqlite3_column_type(owner._statement, column) == raw.SQLITE_NULL;

        public bool IsText(int column) => raw.sqlite3_column_type(owner._statement, column) == raw.SQLITE_TEXT;

        public long Number(int column) => raw.sqlite3_column_int64(owner._statement, column);

        public long? NumberOrNull(int column) => IsNull(column) ? null : Number(column);

        public string Text(int column) => Encoding.UTF8.GetString(raw.sqlite3_column_blob(owner._statement, column));

        public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

        public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(Number(column));

        public DateTimeOffset? TimeOrNull(int column) => IsNull(column) ? null : Time(column);

        public void Dispose() => owner.Reset();
    }
}
