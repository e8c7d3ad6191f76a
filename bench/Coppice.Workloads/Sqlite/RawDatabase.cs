using SQLitePCL;

namespace Coppice.Workloads;

/// <summary>A SQLite file with nothing of ours in between, and no more than floors need.</summary>
internal sealed class RawDatabase : IDisposable
{
    private readonly sqlite3 _handle;
    private readonly List<RawStatement> _statements = [];

    static RawDatabase() => Batteries_V2.Init();

    internal RawDatabase(string path)
    {
        Check(raw.sqlite3_open_v2(path, out _handle, raw.SQLITE_OPEN_READWRITE, null), null);
    }

    internal RawStatement Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var statement), _handle);
        var prepared = new RawStatement(statement, _handle);
        _statements.Add(prepared);
        return prepared;
    }

    internal void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql), _handle);

    internal long Number(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? raw.sqlite3_column_int64(statement.Handle, 0) : throw new InvalidOperationException($"No row: {sql}");
    }

    internal List<string> Texts(string sql)
    {
        using var statement = Prepare(sql);
        var texts = new List<string>();
        while (statement.Step())
        {
            texts.Add(raw.sqlite3_column_text(statement.Handle, 0).utf8_to_string());
        }

        return texts;
    }

    public void Dispose()
    {
        foreach (var statement in _statements)
        {
            statement.Dispose();
        }

        _handle.Dispose();
    }

    internal static void Check(int code, sqlite3? handle)
    {
        if (code is not (raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE))
        {
            throw new InvalidOperationException($"SQLite answered {code}: {(handle is null ? "" : raw.sqlite3_errmsg(handle).utf8_to_string())}");
        }
    }
}

/// <summary>A prepared statement.</summary>
internal sealed class RawStatement(sqlite3_stmt statement, sqlite3 database) : IDisposable
{
    internal sqlite3_stmt Handle => statement;

    internal RawStatement Bind(int index, long value)
    {
        RawDatabase.Check(raw.sqlite3_bind_int64(statement, index, value), database);
        return this;
    }

    internal RawStatement Bind(int index, ReadOnlySpan<byte> text)
    {
        RawDatabase.Check(raw.sqlite3_bind_text(statement, index, text), database);
        return this;
    }

    internal bool Step()
    {
        var code = raw.sqlite3_step(statement);
        RawDatabase.Check(code, database);
        return code == raw.SQLITE_ROW;
    }

    internal void Run()
    {
        RawDatabase.Check(raw.sqlite3_step(statement), database);
        RawDatabase.Check(raw.sqlite3_reset(statement), database);
    }

    public void Dispose() => statement.Dispose();
}
