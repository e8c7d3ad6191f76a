using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>One open connection and the statements prepared on it. Used by one thread at a time.</summary>
internal sealed class Connection : IDisposable
{
    private readonly List<Statement> _statements = [];

    static Connection() => Batteries_V2.Init();

    public Connection(string dataSource, SqliteOpenMode mode, TimeSpan busyTimeout)
    {
        var code = raw.sqlite3_open_v2(dataSource, out var handle, FlagsFor(dataSource, mode), vfs: null);
        Handle = handle;
        try
        {
            Check(code);
            _ = raw.sqlite3_busy_timeout(Handle, (int)busyTimeout.TotalMilliseconds);
        }
        catch
        {
            Handle.Dispose();
            throw;
        }
    }

    public sqlite3 Handle { get; }

    /// <summary>Gets or sets how much text was bound since it was last set to zero: a measure of how large a transaction has become.</summary>
    public long BoundBytes { get; set; }

    /// <summary>Gets how many rows this connection has changed so far.</summary>
    public int TotalChanges => raw.sqlite3_total_changes(Handle);

    /// <summary>Gets the key of the row inserted last.</summary>
    public long LastInsertKey => raw.sqlite3_last_insert_rowid(Handle);

    /// <summary>Gets whether a transaction is open.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Handle) == 0;

    public Statement Prepare(string sql)
    {
        var statement = new Statement(this, sql);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Gives a statement up before the connection closes.</summary>
    public void Release(Statement statement)
    {
        _statements.Remove(statement);
        statement.Dispose();
    }

    public void Execute(string sql) => Check(raw.sqlite3_exec(Handle, sql));

    public long? Scalar(string sql)
    {
        using var statement = new Statement(this, sql);
        return statement.Scalar();
    }

    public string? ScalarText(string sql)
    {
        using var statement = new Statement(this, sql);
        using var rows = statement.Rows();
        return rows.Next() ? rows.TextOrNull(0) : null;
    }

    /// <summary>Throws what a code stands for, unless it is that of success.</summary>
    public void Check(int code) => SqliteException.ThrowExceptionForRC(code, Handle);

    /// <summary>Takes how many pages were written since this was last asked.</summary>
    public int TakePagesWritten()
    {
        Check(raw.sqlite3_db_status(Handle, raw.SQLITE_DBSTATUS_CACHE_WRITE, out var pages, out _, resetFlg: 1));
        return pages;
    }

    /// <summary>Copies what the log holds into the file, as far as nobody still reads what was there before.</summary>
    /// <returns>Whether all of it was copied, so that the log is written from its start again.</returns>
    public bool Checkpoint()
    {
        Check(raw.sqlite3_wal_checkpoint_v2(Handle, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out var inLog, out var copied));
        return copied == inLog;
    }

    /// <summary>Adds the order and the comparison that lists need to agree with <see cref="TaskCursor"/> and <see cref="TaskQuery"/>.</summary>
    public void AddTextFunctions()
    {
        Check(raw.sqlite3_create_collation(Handle, "ordinal", null, static (_, left, right) => string.CompareOrdinal(left, right)));
        Check(raw.sqlite3_create_function(
            Handle, "holds", 2, raw.SQLITE_UTF8 | raw.SQLITE_DETERMINISTIC, null,
            static (context, _, values) => raw.sqlite3_result_int(context, Holds(values[0], values[1]) ? 1 : 0)));
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }

        Handle.Dispose();
    }

    // A connection is used by one thread at a time, so SQLite need not lock it at every call.
    private static int FlagsFor(string dataSource, SqliteOpenMode mode) =>
        raw.SQLITE_OPEN_NOMUTEX
        | (dataSource.StartsWith("file:", StringComparison.Ordinal) ? raw.SQLITE_OPEN_URI : 0)
        | mode switch
        {
            SqliteOpenMode.ReadOnly => raw.SQLITE_OPEN_READONLY,
            SqliteOpenMode.ReadWrite => raw.SQLITE_OPEN_READWRITE,
            _ => raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE,
        };

    private static bool Holds(sqlite3_value text, sqlite3_value part) =>
        raw.sqlite3_value_type(text) != raw.SQLITE_NULL
        && raw.sqlite3_value_type(part) != raw.SQLITE_NULL
        && raw.sqlite3_value_text(text).utf8_to_string().Contains(raw.sqlite3_value_text(part).utf8_to_string(), StringComparison.OrdinalIgnoreCase);
}
