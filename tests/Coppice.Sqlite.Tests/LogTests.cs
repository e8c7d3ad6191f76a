using Coppice.StoreContract;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>The write-ahead log between commits: how long it is, and that nothing depends on that.</summary>
public sealed class LogTests : IDisposable
{
    private const int BytesOfPage = 4096 + 24;
    private const int BytesOfStep = 320 * BytesOfPage;
    private const int BytesToCopyAt = 4000 * BytesOfPage;

    private readonly TempFolder _folder = new();

    private string Log => _folder.Store + "-wal";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_log_grows_in_large_steps_ahead_of_the_commits()
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        var lengths = new List<long>();
        for (var i = 0; i < 200; i++)
        {
            await host.FinishAsync(await host.AddAsync());
            lengths.Add(new FileInfo(Log).Length);
        }

        // Some may be seen while a step is being written.
        Assert.Equal(lengths.Order(), lengths);
        Assert.InRange(lengths[0], 0, BytesOfStep * 2);
        Assert.InRange(lengths.Distinct().Count(), 2, 30);
    }

    [Fact]
    public async Task A_log_that_is_long_enough_is_copied_and_written_again_from_its_start()
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        await FillAsync(host, pages: 9000);

        Assert.InRange(new FileInfo(Log).Length, BytesToCopyAt, BytesToCopyAt + (2 * BytesOfStep));
        Assert.True(new FileInfo(_folder.Store).Length > 4000 * 4096, "What the log held is in the file.");
    }

    [Fact]
    public async Task A_log_that_somebody_reads_goes_on_and_is_copied_when_they_have_gone()
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        var host = await StoreHost.JoinAsync(store);
        using (var reader = new Connection(_folder.Store, SqliteOpenMode.ReadWrite, TimeSpan.FromSeconds(1)))
        {
            reader.Execute("BEGIN");
            Assert.Equal(0, reader.Scalar("SELECT count(*) FROM tasks"));
            await FillAsync(host, pages: 5000);
            Assert.Equal(0, reader.Scalar("SELECT count(*) FROM tasks"));
        }

        Assert.True(new FileInfo(_folder.Store).Length < 1000 * 4096, "What a reader may still miss is not written over.");
        var length = new FileInfo(Log).Length;
        await FillAsync(host, pages: 3000);
        Assert.True(new FileInfo(_folder.Store).Length > 4000 * 4096, "What the log held is in the file.");
        Assert.InRange(new FileInfo(Log).Length, length, length + (1000 * BytesOfPage));
    }

    [Fact]
    public async Task What_killed_processes_leave_in_the_log_is_kept_and_does_not_pile_up()
    {
        const int Lives = 5;
        var path = _folder.Store;
        var lengths = new List<long>();
        var ids = new List<string>();
        for (var life = 0; life < Lives; life++)
        {
            await using var store = await SqliteTaskStore.OpenAsync(path, cancellationToken: Stop);
            var host = await StoreHost.JoinAsync(store);
            Assert.Equal(ids, (await store.ListAsync(new TaskQuery(), null, 1000, Stop)).Select(task => task.TaskId));
            ids.AddRange(await FillAsync(host, pages: 900));
            lengths.Add(new FileInfo(path + "-wal").Length);

            // The files as they are while they are in use are what a killed process leaves.
            var next = Path.Combine(_folder.Root, $"life{life}.db");
            File.Copy(path, next);
            File.Copy(path + "-wal", next + "-wal");
            path = next;
        }

        // From the second life on each also writes the tasks that the one before has left behind.
        Assert.All(lengths.Skip(2), length => Assert.InRange(length, 0, lengths[1] + (2 * BytesOfStep)));
    }

    [Fact]
    public void A_log_that_cannot_be_made_longer_stops_nobody()
    {
        using var connection = new StoreFile(_folder.Store, new SqliteTaskStoreOptions()).OpenWriter();
        var elsewhere = Path.Combine(_folder.Root, "nowhere", "coppice.db");
        var keeper = new LogKeeper(connection, elsewhere, growsAhead: true);
        keeper.Begin();
        for (var i = 0; i < 3; i++)
        {
            connection.Execute($"UPDATE meta SET revision = {i}");
            keeper.Committed();
        }

        Assert.Equal(2, connection.Scalar("SELECT revision FROM meta"));
        Assert.False(Directory.Exists(Path.GetDirectoryName(elsewhere)));
    }

    [Fact]
    public async Task A_store_that_was_closed_is_one_file()
    {
        await using (var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop))
        {
            await (await StoreHost.JoinAsync(store)).AddAsync();
            Assert.True(File.Exists(Log));
        }

        Assert.False(File.Exists(Log));
        Assert.InRange(new FileInfo(_folder.Store).Length, 1, 100 * 4096);
    }

    /// <summary>Commits as much as fills so many pages of the log.</summary>
    private static async Task<List<string>> FillAsync(StoreHost host, int pages)
    {
        const int PagesOfTask = 25;
        var ids = new List<string>();
        for (var i = 0; i < pages / PagesOfTask; i++)
        {
            ids.Add(await host.AddAsync(description: new string('d', (PagesOfTask - 4) * 4096)));
        }

        return ids;
    }
}
