using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>One open connection and the statements prepared on it. Used by one thread at a time.</summary>
internal sealed class Connection : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly List<Statement> _statements = [];

    static Connection() => Batteries_V2.Init();

    public Connection(string dataSource, SqliteOpenMode mode, TimeSpan busyTimeout)
    {
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = dataSource,
            Mode = mode,
            Pooling = false,
        }.ToString());
        try
        {
            _connection.Open();
            Handle = _connection.Handle!;
            _ = raw.sqlite3_busy_timeout(Handle, (int)busyTimeout.TotalMilliseconds);
        }
        catch
        {
            _connection.Dispose();
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

    public void Execute(string sql) => SqliteException.ThrowExceptionForRC(raw.sqlite3_exec(Handle, sql), Handle);

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

    /// <summary>Adds the order and the comparison that lists need to agree with <see cref="TaskCursor"/> and <see cref="TaskQuery"/>.</summary>
    public void AddTextFunctions()
    {
        _connection.CreateCollation("ordinal", string.CompareOrdinal);
        _connection.CreateFunction<string?, string?, bool>(
            "holds", (text, part) => text is not null && part is not null && text.Contains(part, StringComparison.OrdinalIgnoreCase), isDeterministic: true);
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }
}
