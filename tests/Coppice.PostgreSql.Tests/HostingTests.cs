using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coppice.PostgreSql.Tests;

/// <summary>The store under dependency injection.</summary>
public sealed class HostingTests : IAsyncLifetime
{
    private ScratchSchema _schema = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _schema = await ScratchSchema.ReserveAsync();

    public ValueTask DisposeAsync() => _schema.DisposeAsync();

    [Fact]
    public async Task A_host_opens_the_store_runs_on_it_and_closes_it()
    {
        string id;
        using (var host = Build(await PostgresServer.ConnectionStringAsync()))
        {
            await host.StartAsync(Stop).Within();
            var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
            id = await manager.SpawnAsync("t1", _ => Task.FromResult(TaskOutcome.Failure("no")), cancellationToken: Stop).Within();
            await manager.WaitAsync(id, Stop).Within();
            await host.StopAsync(Stop).Within();
        }

        await using var store = await PostgreSqlTaskStore.OpenAsync(
            await PostgresServer.ConnectionStringAsync(), new() { Schema = _schema.Name, Migrate = false }, Stop).Within();
        Assert.Equal("no", (await store.GetAsync(id, Stop))?.Error);
    }

    [Fact]
    public async Task A_host_that_reaches_no_database_fails_to_start_and_says_why()
    {
        using var host = Build("Host=127.0.0.1;Port=1;Username=nobody;Password=none;Timeout=5");

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => host.StartAsync(Stop).Within());

        Assert.Equal("store_unavailable", error.Code);
    }

    [Fact]
    public void A_missing_connection_string_is_a_mistake_at_once()
    {
        Assert.Throws<ArgumentException>(() => new ServiceCollection().AddCoppice().UsePostgreSql(" "));
        Assert.Throws<ArgumentNullException>(() => ((CoppiceBuilder)null!).UsePostgreSql("Host=h"));
    }

    private IHost Build(string connectionString)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddCoppice().UsePostgreSql(connectionString, options => options.Schema = _schema.Name);
        return builder.Build();
    }
}
