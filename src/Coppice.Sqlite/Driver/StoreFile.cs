using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>Where a store is and how its connections are opened.</summary>
internal sealed class StoreFile(string path, SqliteTaskStoreOptions options)
{
    public string Path { get; } = path;

    public SqliteTaskStoreOptions Options { get; } = options;

    /// <summary>The one path that every name of a file leads to, so that all of them share a lock.</summary>
    public static string Resolve(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        return File.Exists(full) && File.ResolveLinkTarget(full, returnFinalTarget: true) is { } target ? target.FullName : full;
    }

    /// <summary>Sees that the file can be there: its folders exist, and it is no folder itself.</summary>
    public void Prepare()
    {
        if (Directory.Exists(Path))
        {
            throw StoreFaults.IsFolder(Path);
        }

        if (!File.Exists(Path) && !Options.CreateIfMissing)
        {
            throw StoreFaults.Missing(Path);
        }

        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreFaults.NotWritable(Path, e);
        }
    }

    /// <summary>Opens the connection for writing, with the schema up to date.</summary>
    public Connection OpenWriter()
    {
        var connection = new Connection(Path, SqliteOpenMode.ReadWriteCreate, Options.BusyTimeout);
        try
        {
            Schema.Check(connection, Path);
            if (raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
            {
                throw new SqliteException("attempt to write a readonly database", raw.SQLITE_READONLY);
            }

            connection.Execute("PRAGMA journal_mode = WAL");
            connection.Execute("PRAGMA foreign_keys = OFF");
            connection.Execute("PRAGMA temp_store = MEMORY");
            connection.Execute("PRAGMA cache_size = -16384");
            connection.Execute($"PRAGMA synchronous = {(Options.Synchronous == SqliteSynchronous.Full ? "FULL" : "NORMAL")}");
            connection.Execute("PRAGMA wal_autocheckpoint = 0");
            if (Options.MaxPageCount is { } pages)
            {
                connection.Execute(Invariant($"PRAGMA max_page_count = {pages}"));
            }

            Schema.Migrate(connection, Path);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens a connection for reading beside the writer of this process.</summary>
    public Connection OpenReader() => MakeReader(new Connection(Path, SqliteOpenMode.ReadWrite, Options.BusyTimeout));

    /// <summary>Opens a connection for reading, whoever writes; also where nothing beside the file can be written.</summary>
    public Connection OpenReaderOnly()
    {
        try
        {
            return Checked(new Connection(Path, SqliteOpenMode.ReadOnly, Options.BusyTimeout));
        }
        catch (SqliteException e) when (e.SqliteErrorCode is raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY && File.Exists(Path) && !File.Exists(Path + "-wal"))
        {
            // Without a writer and a place for the log's index, only a connection that takes the file for unchanging can read it.
            var uri = "file:" + Uri.EscapeDataString(Path).Replace("%2F", "/", StringComparison.Ordinal) + "?immutable=1";
            return Checked(new Connection(uri, SqliteOpenMode.ReadOnly, Options.BusyTimeout));
        }
    }

    private Connection Checked(Connection connection)
    {
        try
        {
            Schema.Check(connection, Path);
            if (Schema.VersionOf(connection) is var version && version < Schema.Version)
            {
                throw new FileInfo(Path).Length == 0 ? StoreFaults.Empty(Path) : StoreFaults.Older(Path, version, Schema.Version);
            }

            return MakeReader(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static Connection MakeReader(Connection connection)
    {
        connection.Execute("PRAGMA query_only = ON");
        connection.Execute("PRAGMA temp_store = MEMORY");
        connection.AddTextFunctions();
        return connection;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
