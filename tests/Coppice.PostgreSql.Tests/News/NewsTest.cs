using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;
using Npgsql;

namespace Coppice.PostgreSql.Tests.News;

/// <summary>
/// Several processes on one schema: stores that share nothing but the database. Each hears of the others in time by news alone, or, where the news is lost on
/// its way, by looking alone.
/// </summary>
public abstract class NewsTest : IAsyncLifetime
{
    private readonly Stack<IAsyncDisposable> _disposables = new();

    /// <summary>How a process hears of another.</summary>
    public enum Way
    {
        News,
        Look,
    }

    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    internal ScratchSchema Schema { get; private set; } = null!;

    /// <summary>Gets what the stores of the test have logged.</summary>
    protected WatchedLog StoreLog { get; } = new();

    public async ValueTask InitializeAsync() => Schema = await SchemaPool.TakeAsync();

    public async ValueTask DisposeAsync()
    {
        while (_disposables.TryPop(out var disposable))
        {
            await disposable.DisposeAsync().AsTask().WaitAsync(Wait.Guard);
        }

        await SchemaPool.GiveBackAsync(Schema);
        GC.SuppressFinalize(this);
    }

    protected T DisposeLater<T>(T disposable)
        where T : IAsyncDisposable
    {
        _disposables.Push(disposable);
        return disposable;
    }

    /// <summary>Opens the store in another process.</summary>
    protected async Task<PostgreSqlTaskStore> OpenAsync(Way way = Way.News)
    {
        var store = DisposeLater(await PostgreSqlTaskStore.OpenAsync(
            await ConnectionStringAsync(),
            new() { Schema = Schema.Name, PollInterval = way == Way.News ? TimeSpan.FromMinutes(10) : TimeSpan.FromMilliseconds(100), LoggerFactory = StoreLog },
            Stop));
        store.News.Sender.Loses = way == Way.Look;
        return store;
    }

    /// <summary>Starts a manager in another process.</summary>
    protected async Task<BackgroundTaskManager> StartAsync(Way way = Way.News, Action<BackgroundTaskOptions>? configure = null) =>
        await StartAsync(await OpenAsync(way), configure);

    /// <summary>Starts a manager in the process of a store.</summary>
    protected async Task<BackgroundTaskManager> StartAsync(ITaskStore store, Action<BackgroundTaskOptions>? configure = null)
    {
        // Heartbeats would find some of it too.
        var options = new BackgroundTaskOptions { ShutdownGracePeriod = TimeSpan.Zero, HostTimeout = TimeSpan.FromHours(1) };
        configure?.Invoke(options);
        return DisposeLater(await BackgroundTaskManager.StartAsync(store, options, Stop).Within());
    }

    /// <summary>Ends connections of the schema's processes: those whose last statement is like one.</summary>
    /// <returns>How many.</returns>
    protected async Task<int> TerminateAsync(string statement)
    {
        await using var command = Schema.DataSource.CreateCommand(
            $"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{Schema.Name}' AND query LIKE $1");
        command.Parameters.Add(new() { Value = statement });
        return Convert.ToInt32(await command.ExecuteScalarAsync(Stop), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until a query gives true.</summary>
    protected async Task UntilAsync(string sql)
    {
        var guard = Task.Delay(Wait.Guard, TimeProvider.System, Stop);
        while (await Schema.QueryAsync(sql) is not true)
        {
            Assert.False(guard.IsCompleted, $"It did not become true: {sql}");
        }
    }

    /// <summary>Where the database is; connections by it are told by the name of the schema.</summary>
    protected async Task<string> ConnectionStringAsync() =>
        new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync()) { ApplicationName = Schema.Name }.ConnectionString;

    /// <summary>The name of the channel on which the processes of the schema tell each other news.</summary>
    protected async Task<string> ChannelAsync() => $"coppice_{await Schema.QueryAsync($"SELECT replace(news_channel::text, '-', '') FROM {Schema.Name}.meta")}";
}
