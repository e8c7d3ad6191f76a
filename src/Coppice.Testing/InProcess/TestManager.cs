using Microsoft.Extensions.Options;

namespace Coppice.Testing;

/// <summary>
/// A manager for one test: on a throw-away store, with a clock that the test advances. What to wait for and to assert is in
/// <see cref="TaskAssertions"/>, as extensions of the manager.
/// </summary>
/// <example><code>
/// await using var test = await TestManager.StartAsync();
/// await new ReportTool(test.Manager).StartReportAsync("chat-1");
/// var report = await test.Manager.AssertSpawnedAsync("chat-1", name: "report");
/// await test.Manager.AssertCompletedAsync(report.TaskId);
/// </code></example>
public sealed class TestManager : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly BackgroundTaskOptions _options;
    private readonly bool _ownsStore;
    private int _disposals;

    private TestManager(BackgroundTaskManager manager, ITaskStore store, bool ownsStore, BackgroundTaskOptions options)
    {
        Manager = manager;
        Store = store;
        _ownsStore = ownsStore;
        _options = options;
    }

    /// <summary>Gets the manager.</summary>
    public BackgroundTaskManager Manager { get; }

    /// <summary>Gets the store.</summary>
    public ITaskStore Store { get; }

    /// <summary>Gets the clock. It moves only when it is advanced.</summary>
    /// <exception cref="InvalidOperationException">The options were given another kind of <see cref="TimeProvider"/>.</exception>
    public ManualClock Clock => _options.TimeProvider as ManualClock
        ?? throw new InvalidOperationException($"The manager's clock is a {_options.TimeProvider.GetType().Name} and cannot be advanced.");

    /// <summary>Starts a manager.</summary>
    /// <param name="configure">
    /// Changes the options. They come with a <see cref="ManualClock"/>, and a <see cref="BackgroundTaskOptions.ShutdownGracePeriod"/> of
    /// 5 seconds, which the disposal counts in real time.
    /// </param>
    /// <param name="store">The store, which stays yours to dispose: give one to several managers for several hosts or a restart. One in memory by default, which goes with the manager.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="OptionsValidationException">An option is out of its range.</exception>
    /// <exception cref="TaskStoreException">The store failed.</exception>
    public static async ValueTask<TestManager> StartAsync(
        Action<BackgroundTaskOptions>? configure = null, ITaskStore? store = null, CancellationToken cancellationToken = default)
    {
        var options = new BackgroundTaskOptions { TimeProvider = new ManualClock(), ShutdownGracePeriod = Grace };
        configure?.Invoke(options);
        var own = store ?? new InMemoryTaskStore();
        var manager = await BackgroundTaskManager.StartAsync(own, options, cancellationToken).ConfigureAwait(false);
        return new TestManager(manager, own, ownsStore: store is null, options);
    }

    /// <summary>
    /// Disposes the manager, which cancels every body's token, and then its own store. Waits for the bodies up to the grace period in
    /// real time. A second call does nothing.
    /// </summary>
    /// <exception cref="TaskAssertionException">Bodies did not end; they are listed. All is disposed nevertheless.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Increment(ref _disposals) > 1)
        {
            return;
        }

        await BoundedShutdown.RunAsync(Manager.DisposeAsync().AsTask(), _options.TimeProvider, _options.ShutdownGracePeriod)
            .ConfigureAwait(false);
        var failure = await BoundedShutdown.FindStuckAsync(Manager, _options.ShutdownGracePeriod).ConfigureAwait(false);
        if (_ownsStore)
        {
            await Store.DisposeAsync().ConfigureAwait(false);
        }

        if (failure is not null)
        {
            throw failure;
        }
    }
}
