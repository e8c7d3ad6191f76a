using System.Collections.Concurrent;

namespace Coppice.StoreContract;

/// <summary>What all contract classes have: a fresh store for each test, and what is disposed after it.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ContractTest<TStore> : IAsyncLifetime
    where TStore : StoreFixture, new()
{
    private readonly ConcurrentStack<IAsyncDisposable> _disposables = new();
    private ITaskStore? _store;

    /// <summary>Gets the token that ends the test.</summary>
    protected static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Gets the fixture of this test.</summary>
    protected TStore Fixture { get; } = new();

    /// <summary>Gets the store of this test.</summary>
    protected ITaskStore Store => _store ?? throw new InvalidOperationException("The test has not been initialised.");

    /// <inheritdoc/>
    public async ValueTask InitializeAsync() => _store = await Fixture.CreateAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        while (_disposables.TryPop(out var disposable))
        {
            await disposable.DisposeAsync().AsTask().WaitAsync(Wait.Guard);
        }

        await Fixture.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes something after the test, the last first.</summary>
    protected T DisposeLater<T>(T disposable)
        where T : IAsyncDisposable
    {
        _disposables.Push(disposable);
        return disposable;
    }

    /// <summary>Starts a manager on the test's store, or on another.</summary>
    protected async Task<BackgroundTaskManager> StartAsync(
        Action<BackgroundTaskOptions>? configure = null, ITaskStore? store = null)
    {
        var options = new BackgroundTaskOptions { ShutdownGracePeriod = TimeSpan.FromSeconds(10) };
        configure?.Invoke(options);
        return DisposeLater(await BackgroundTaskManager.StartAsync(store ?? Store, options, Stop).Within());
    }

    /// <summary>Joins the test's store as a host without a manager.</summary>
    protected Task<StoreHost> JoinAsync(string hostId = "host") => StoreHost.JoinAsync(Store, hostId);

    /// <summary>Ends the process, as far as the store can tell, and opens it again.</summary>
    protected async Task ReopenAsync() => _store = await Fixture.ReopenAsync(Store);
}
