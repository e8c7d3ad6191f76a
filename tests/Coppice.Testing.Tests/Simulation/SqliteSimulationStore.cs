namespace Coppice.Testing.Tests;

/// <summary>Stores in files, closed and opened anew when all hosts are gone.</summary>
internal sealed class SqliteSimulationStore : SimulationStore, IDisposable
{
    // Files in memory where there are such: what is lost with the power is not what is tested here, and waiting for the disk is slow.
    private readonly string _folder = Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory(Path.Combine("/dev/shm", "coppice-simulation-" + Path.GetRandomFileName())).FullName
        : Directory.CreateTempSubdirectory("coppice-simulation-").FullName;
    private int _files;

    public override async ValueTask<ITaskStore> CreateAsync() => await OpenAsync(Path.Combine(_folder, $"{_files++}.db"));

    public override async ValueTask<ITaskStore> ReopenAsync(ITaskStore store)
    {
        await store.DisposeAsync();
        return await OpenAsync(((SqliteTaskStore)store).Path);
    }

    public override async ValueTask DeleteAsync(ITaskStore store)
    {
        await store.DisposeAsync();
        foreach (var file in Directory.EnumerateFiles(_folder, Path.GetFileName(((SqliteTaskStore)store).Path) + "*"))
        {
            File.Delete(file);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ValueTask<SqliteTaskStore> OpenAsync(string path) =>
        SqliteTaskStore.OpenAsync(path, new SqliteTaskStoreOptions { Synchronous = SqliteSynchronous.Normal, ReaderPoolSize = 1 });
}
