namespace Coppice.Properties.Tests.Support;

/// <summary>The stores that the properties are checked on.</summary>
public enum StoreKind
{
    InMemory,
    Sqlite,
}

/// <summary>A store with nothing in it, which goes when it is disposed.</summary>
internal sealed class FreshStore : IAsyncDisposable
{
    private readonly DirectoryInfo? _folder;

    private FreshStore(ITaskStore store, DirectoryInfo? folder)
    {
        Store = store;
        _folder = folder;
    }

    internal ITaskStore Store { get; }

    internal static async Task<FreshStore> OpenAsync(StoreKind kind)
    {
        if (kind == StoreKind.InMemory)
        {
            return new FreshStore(new InMemoryTaskStore(), null);
        }

        // Nothing here dies, so the disk need not be waited for.
        var folder = Directory.CreateTempSubdirectory("coppice-properties-");
        var options = new SqliteTaskStoreOptions { Synchronous = SqliteSynchronous.Normal };
        return new FreshStore(await SqliteTaskStore.OpenAsync(Path.Combine(folder.FullName, "tasks.db"), options), folder);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _folder?.Delete(recursive: true);
    }
}
