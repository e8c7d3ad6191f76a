using Coppice.StoreContract;

namespace Coppice.Sqlite.Tests.Contract;

public sealed class SqliteStoreFixture : StoreFixture
{
    private readonly TempFolder _folder = new();
    private readonly List<ITaskStore> _stores = [];

    public override bool IsDurable => true;

    public override bool HasOneProcessAtATime => true;

    public override async ValueTask<ITaskStore> CreateAsync() =>
        Keep(await SqliteTaskStore.OpenAsync(Path.Combine(_folder.Root, $"{_stores.Count}", "coppice.db")));

    public override async ValueTask<ITaskStore> ReopenAsync(ITaskStore store)
    {
        await store.DisposeAsync();
        return Keep(await SqliteTaskStore.OpenAsync(((SqliteTaskStore)store).Path));
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        _folder.Dispose();
    }

    private SqliteTaskStore Keep(SqliteTaskStore store)
    {
        _stores.Add(store);
        return store;
    }
}
