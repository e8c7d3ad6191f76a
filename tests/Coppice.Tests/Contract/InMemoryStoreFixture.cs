using Coppice.StoreContract;

namespace Coppice.Tests.Contract;

public sealed class InMemoryStoreFixture : StoreFixture
{
    private readonly List<ITaskStore> _stores = [];

    public override bool IsDurable => false;

    public override ValueTask<ITaskStore> CreateAsync()
    {
        var store = new InMemoryTaskStore();
        _stores.Add(store);
        return ValueTask.FromResult<ITaskStore>(store);
    }

    public override ValueTask<ITaskStore> ReopenAsync(ITaskStore store) => ValueTask.FromResult(store);

    public override async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }
    }
}
