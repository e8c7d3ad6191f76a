using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Coppice.Sqlite;

/// <summary>Looks whether a host can work on a file, and whether what it stores there is kept. Nothing is changed by it.</summary>
internal sealed class StoreDoctor(StoreFile file)
{
    private const long LittleRoom = 1L << 30;
    private const long TooLittleRoom = 50L << 20;
    private const long LargeLog = 1L << 30;

    private static readonly string[] FarAway = ["nfs", "nfs4", "cifs", "smb", "smbfs", "smb2", "9p", "fuse.sshfs", "afpfs", "webdav"];

    private readonly List<StoreCheck> _checks = [];

    /// <summary>Runs every check that can be run.</summary>
    /// <param name="deep">Whether the whole file is read through.</param>
    /// <param name="cancellationToken">Looked at between checks.</param>
    public IReadOnlyList<StoreCheck> Examine(bool deep, CancellationToken cancellationToken)
    {
        if (!File.Exists(file.Path))
        {
            Fail(
                "file", $"{(Directory.Exists(file.Path) ? "a folder is at" : "there is no file")} {file.Path}",
                $"Check the path, or start a host there, which makes it.");
            CheckFolder();
            return _checks;
        }

        CheckFile();
        CheckFolder();
        CheckDisk();
        CheckLog();
        var holder = CheckHost();
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            using var connection = file.OpenReaderOnly();
            CheckContent(connection, holder, deep);
        }
        catch (TaskStoreException e)
        {
            Fail("schema", $"{e.Message}", $"Nothing else in the file was looked at.");
        }
        catch (SqliteException e)
        {
            Fail("schema", $"{StoreFaults.From(e, file.Path).Message}", $"Nothing else in the file was looked at.");
        }

        return _checks;
    }

    private void CheckFile()
    {
        var (size, log) = (new FileInfo(file.Path).Length, LogLength());
        FormattableString found = $"{file.Path}, {Megabytes(size)}{(log > 0 ? $" and {Megabytes(log)} of log" : "")}";
        try
        {
            // By SQLite and no other way: a process that closes the file by itself gives up the locks that SQLite has on it.
            using var connection = new Connection(file.Path, SqliteOpenMode.ReadWrite, file.Options.BusyTimeout);
            if (raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
            {
                Fail("file", $"{found.ToString(CultureInfo.InvariantCulture)}, cannot be written", $"Give this user permission to write it.");
            }
            else
            {
                Ok("file", found);
            }
        }
        catch (SqliteException e)
        {
            Fail(
                "file", $"{found.ToString(CultureInfo.InvariantCulture)}, cannot be opened: {e.Message}",
                $"Give this user permission to read and write it.");
        }
    }

    // SQLite keeps its log, and the store its lock, beside the file.
    private void CheckFolder()
    {
        var folder = System.IO.Path.GetDirectoryName(file.Path)!;
        var trial = System.IO.Path.Combine(folder, $".coppice-doctor-{Guid.NewGuid():N}");
        try
        {
            using (new FileStream(trial, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
            }

            Ok("folder", $"{folder} can be written");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(
                "folder", $"no file can be made in {folder}: {e.Message}",
                $"The log and the lock of the store are kept beside it. Give this user permission to write there.");
        }
    }

    private void CheckDisk()
    {
        DriveInfo drive;
        try
        {
            drive = new DriveInfo(file.Path);
            if (FarAway.Contains(drive.DriveFormat, StringComparer.OrdinalIgnoreCase))
            {
                Warn(
                    "disk", $"the file is on a {drive.DriveFormat} share",
                    $"Locks and fsync are not to be trusted there. Move the file to a disk of this machine, or use PostgreSQL.");
                return;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Warn("disk", $"how much room there is cannot be found out: {e.Message}", $"See to it by hand.");
            return;
        }

        var free = drive.AvailableFreeSpace;
        FormattableString found = $"{Megabytes(free)} are free on its disk";
        if (free < TooLittleRoom)
        {
            Fail("disk", found, $"Commits are about to fail. Make room.");
        }
        else if (free < LittleRoom)
        {
            Warn("disk", found, $"Make room, or let 'coppice prune' forget old tasks.");
        }
        else
        {
            Ok("disk", found);
        }
    }

    private void CheckLog()
    {
        if (LogLength() is > LargeLog and var length)
        {
            Warn(
                "log", $"the log beside the file has {Megabytes(length)}",
                $"Something reads the store without an end and keeps the log from being written back. Find and end it.");
        }
    }

    /// <returns>Whether a host has the store; <see langword="null"/> where nobody can tell.</returns>
    private bool? CheckHost()
    {
        try
        {
            var isTaken = StoreLock.IsTaken(file.Path);
            Ok("host", $"{(isTaken ? StoreExport.Holder(file.Path) : "no host")} has the store{(isTaken ? ", as its one host" : "")}");
            return isTaken;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail("host", $"the lock beside {file.Path} cannot be opened: {e.Message}", $"Give this user permission to read and write it.");
            return null;
        }
    }

    private void CheckContent(Connection connection, bool? isHeld, bool deep)
    {
        Ok("schema", $"version {Schema.VersionOf(connection)}, as this library writes it");
        if (connection.ScalarText("PRAGMA journal_mode") is var mode and not "wal")
        {
            Warn("journal", $"the journal mode is {mode}", $"Reading and writing get into each other's way. A host that starts sets it to wal.");
        }
        else
        {
            Ok("journal", $"the journal mode is wal");
        }

        CheckTasks(connection, isHeld);
        if (deep)
        {
            CheckPages(connection);
        }
    }

    private void CheckTasks(Connection connection, bool? isHeld)
    {
        var live = connection.Scalar("SELECT count(*) FROM tasks INDEXED BY tasks_live WHERE state < 3") ?? 0;
        var held = connection.Scalar("SELECT count(*) FROM tasks INDEXED BY tasks_held WHERE host_epoch > 0 AND state < 3") ?? 0;
        if (held > 0 && isHeld == false)
        {
            Warn(
                "tasks", $"{live} are live; {held} of them were left behind by a host that is gone",
                $"The next host, or the next 'coppice ps', settles them.");
        }
        else
        {
            Ok("tasks", $"{live} are live");
        }
    }

    private void CheckPages(Connection connection)
    {
        var problems = new List<string>();
        using var statement = new Statement(connection, "PRAGMA integrity_check(10)");
        using var rows = statement.Rows();
        while (rows.Next())
        {
            problems.Add(rows.Text(0));
        }

        if (problems is ["ok"])
        {
            Ok("integrity", $"every page and index of the file is whole");
        }
        else
        {
            Fail(
                "integrity", $"{string.Join("; ", problems)}",
                $"Stop the host, keep a copy of the file, and restore a backup or recover what is there with 'sqlite3 <file> .recover'.");
        }
    }

    private long LogLength() => new FileInfo(file.Path + "-wal") is { Exists: true } log ? log.Length : 0;

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:#,0.0} MB");

    private void Ok(string name, FormattableString found) => Add(name, StoreCheckResult.Ok, found, null);

    private void Warn(string name, FormattableString found, FormattableString advice) => Add(name, StoreCheckResult.Warning, found, advice);

    private void Fail(string name, FormattableString found, FormattableString advice) => Add(name, StoreCheckResult.Failed, found, advice);

    private void Add(string name, StoreCheckResult result, FormattableString found, FormattableString? advice) =>
        _checks.Add(new StoreCheck(name, result, found.ToString(CultureInfo.InvariantCulture), advice?.ToString(CultureInfo.InvariantCulture)));
}
