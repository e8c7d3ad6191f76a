using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>Turns the driver's errors into faults that say what to do.</summary>
internal static class StoreFaults
{
    public static TaskStoreException From(SqliteException error, string path, bool notCommitted = false)
    {
        var (code, transient, advice) = error.SqliteErrorCode switch
        {
            raw.SQLITE_FULL => ("store_full", true,
                "The disk is full, or the file has reached the limit set for it (MaxPageCount). Make room or raise the limit; what was acknowledged is safe."),
            raw.SQLITE_CORRUPT => ("store_corrupt", false,
                "The file is damaged. Stop the host, keep a copy of the file, and restore a backup, or recover what is there with 'sqlite3 <file> .recover'."),
            raw.SQLITE_NOTADB => ("store_not_a_store", false,
                "The file is not a SQLite database. Name another file, or move this one away."),
            raw.SQLITE_READONLY or raw.SQLITE_PERM or raw.SQLITE_AUTH => ("store_not_writable", false,
                "The file or its folder cannot be written. Give this user write permission on both."),
            raw.SQLITE_CANTOPEN => ("store_not_openable", false,
                "The file cannot be opened. See that it is a file, and that this user may read and write it and its folder."),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => ("store_busy", true,
                "Another program keeps the file locked. Let it finish; only short reads and online backups may go on beside a host."),
            raw.SQLITE_IOERR => ("store_unavailable", true,
                "Reading or writing the file failed. See to the disk; what was acknowledged is safe unless the disk lost it."),
            raw.SQLITE_NOMEM => ("store_unavailable", true, "The process is out of memory."),
            _ => ("store_unavailable", false, "The database refused it."),
        };
        return new TaskStoreException(
            $"The store at '{path}' failed: {advice} ({error.Message})", transient, error, code) { IsKnownNotCommitted = notCommitted };
    }

    public static TaskStoreException Locked(string path, string lockPath, int? processId, Exception? inner) => new(
        $"The store at '{path}' belongs to another host: {Holder(processId)} holds '{lockPath}'. Stop that host, or open the store for reading only.",
        isTransient: true, inner, "store_locked") { IsKnownNotCommitted = true };

    public static TaskStoreException Missing(string path) => new(
        $"There is no store at '{path}'. Check the path, or start a host there, which creates it.", isTransient: false, null, "store_not_found") { IsKnownNotCommitted = true };

    public static TaskStoreException IsFolder(string path) => new(
        $"'{path}' is a folder. Name a file in it, such as '{Path.Combine(path, "coppice.db")}'.", isTransient: false, null, "store_not_openable") { IsKnownNotCommitted = true };

    public static TaskStoreException NotWritable(string path, Exception inner) => new(
        $"The store at '{path}' cannot be written: {inner.Message} Give this user write permission on the file and its folder, and see that every part of the path is a folder.",
        isTransient: false, inner, "store_not_writable") { IsKnownNotCommitted = true };

    public static TaskStoreException Foreign(string path) => new(
        $"'{path}' is a SQLite database of another program. Name another file.", isTransient: false, null, "store_not_a_store") { IsKnownNotCommitted = true };

    public static TaskStoreException Newer(string path, long found, long known) => new(
        $"The store at '{path}' was written by a newer version (schema {found}; this one knows up to {known}). Upgrade Coppice, or name another file.",
        isTransient: false, null, "store_too_new") { IsKnownNotCommitted = true };

    public static TaskStoreException Empty(string path) => new(
        $"The file at '{path}' is empty: no host has begun to use it as a store. Start a host there first.", isTransient: false, null, "store_not_found") { IsKnownNotCommitted = true };

    public static TaskStoreException Older(string path, long found, long known) => new(
        $"The store at '{path}' was written by an older version (schema {found}; this one reads {known}). Open it once for writing, which upgrades it.",
        isTransient: false, null, "store_too_old") { IsKnownNotCommitted = true };

    public static TaskStoreException ReadOnly(string path) => new(
        $"The store at '{path}' is open for reading only.", isTransient: false, null, "store_read_only") { IsKnownNotCommitted = true };

    public static TaskStoreException Unclear(string path, Exception inner) => new(
        $"The store at '{path}' failed while it committed, and cannot be asked whether it did. See to the disk; the answer can be looked up once the file can be read again. ({inner.Message})",
        isTransient: true, inner);

    public static TaskStoreException Unsettled(string path) => new(
        $"The store at '{path}' cannot find out yet whether an earlier commit landed, and takes no other before it has. See to the disk.",
        isTransient: true) { IsKnownNotCommitted = true };

    public static TaskStoreException Unstorable(string path, Exception inner) => new(
        $"The store at '{path}' cannot keep what it was given: {inner.Message}", isTransient: false, inner, "store_rejected") { IsKnownNotCommitted = true };

    private static string Holder(int? processId) => processId is { } id ? $"process {id}" : "another process";
}
