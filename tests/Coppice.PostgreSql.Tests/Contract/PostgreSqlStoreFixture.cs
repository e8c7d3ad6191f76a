using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.Contract;

public sealed class PostgreSqlStoreFixture : StoreFixture
{
    private readonly List<(PostgreSqlTaskStore Store, ScratchSchema Schema)> _stores = [];

    public override bool IsDurable => true;

    public override bool IdsMayHaveGaps => true;

    public override async ValueTask<ITaskStore> CreateAsync() => await OpenAsync(await SchemaPool.TakeAsync());

    public override async ValueTask<ITaskStore> ReopenAsync(ITaskStore store)
    {
        await store.DisposeAsync();
        return await OpenAsync(_stores.Find(known => ReferenceEquals(known.Store, store)).Schema);
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var (store, _) in _stores)
        {
            await store.DisposeAsync();
        }

        foreach (var schema in _stores.Select(static known => known.Schema).Distinct())
        {
            await SchemaPool.GiveBackAsync(schema);
        }
    }

    private async Task<PostgreSqlTaskStore> OpenAsync(ScratchSchema schema)
    {
        var store = await PostgreSqlTaskStore.OpenAsync(await PostgresServer.ConnectionStringAsync(), new() { Schema = schema.Name });
        _stores.Add((store, schema));
        return store;
    }
}
