using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Coppice.Benchmarks;

/// <summary>The least that storing a task can cost: one insert and, in a later transaction, one update.</summary>
internal static class SqliteFloor
{
    internal static double Run(int tasks, int groupSize)
    {
        var folder = Report.Scratch();
        try
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(folder, "floor.db")};Pooling=false");
            connection.Open();
            Execute(connection, "PRAGMA journal_mode=WAL");
            Execute(connection, "PRAGMA synchronous=FULL");
            Execute(connection, "PRAGMA wal_autocheckpoint=4000");
            GrowLog(connection);
            Execute(connection, "CREATE TABLE task (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, status INTEGER NOT NULL, created INTEGER NOT NULL, ended INTEGER, result TEXT)");

            using var insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO task (id, owner, status, created) VALUES ($id, 'thread-1', 1, 1760000000000)";
            using var update = connection.CreateCommand();
            update.CommandText = "UPDATE task SET status = 3, ended = 1760000000001 WHERE id = $id";

            var start = Stopwatch.GetTimestamp();
            for (var first = 0; first < tasks; first += groupSize)
            {
                var count = Math.Min(groupSize, tasks - first);
                InTransaction(connection, insert, first, count);
                InTransaction(connection, update, first, count);
            }

            return tasks / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A log that is still growing costs the disk a second write a commit; a good floor has one that is not.</summary>
    private static void GrowLog(SqliteConnection connection)
    {
        Execute(connection, "CREATE TABLE filler (bytes BLOB)");
        Execute(connection, "INSERT INTO filler VALUES (zeroblob(16000000))");
        Execute(connection, "PRAGMA wal_checkpoint(RESTART)");
    }

    private static void InTransaction(SqliteConnection connection, SqliteCommand command, int first, int count)
    {
        using var transaction = connection.BeginTransaction();
        command.Transaction = transaction;
        var id = command.Parameters.Count > 0 ? command.Parameters[0] : command.Parameters.Add("$id", SqliteType.Integer);
        for (var i = 0; i < count; i++)
        {
            id.Value = (long)(first + i);
            command.ExecuteNonQuery();
        }

        transaction.Commit();
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
