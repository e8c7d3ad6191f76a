using Coppice.StoreContract;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coppice.Sqlite.Tests;

/// <summary>The store under dependency injection.</summary>
public sealed class HostingTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_host_opens_the_store_runs_on_it_and_gives_it_up()
    {
        string id;
        using (var host = Build())
        {
            await host.StartAsync(Stop).Within();
            var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
            id = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Failure("no")), cancellationToken: Stop).Within();
            await manager.WaitAsync(id, Stop).Within();
            Assert.Null(await SqliteTaskStore.TryOpenAsync(_folder.Store, cancellationToken: Stop));
            await host.StopAsync(Stop).Within();
        }

        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        Assert.Equal("no", (await store.GetAsync(id, Stop))?.Error);
    }

    [Fact]
    public async Task A_second_host_fails_to_start_and_says_why()
    {
        await using var store = await SqliteTaskStore.OpenAsync(_folder.Store, cancellationToken: Stop);
        using var host = Build();

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => host.StartAsync(Stop).Within());

        Assert.Equal("store_locked", error.Code);
    }

    [Fact]
    public void A_missing_path_is_a_mistake_at_once() =>
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddCoppice().UseSqlite(" "));

    private IHost Build()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddCoppice().UseSqlite(_folder.Store, options => options.ReaderPoolSize = 2);
        return builder.Build();
    }
}
