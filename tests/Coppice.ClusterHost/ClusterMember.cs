namespace Coppice.ClusterHost;

/// <summary>One host of the cluster: a store, a manager, and callers that ask for random work until they are told to finish.</summary>
internal sealed class ClusterMember : IAsyncDisposable
{
    private const int TaskCallers = 3;

    private readonly HostPlan _plan;
    private readonly HostLog _log;
    private readonly PostgreSqlTaskStore _store;
    private readonly BackgroundTaskManager _manager;
    private readonly CancellationTokenSource _finish = new();

    private ClusterMember(HostPlan plan, HostLog log, PostgreSqlTaskStore store, BackgroundTaskManager manager) =>
        (_plan, _log, _store, _manager) = (plan, log, store, manager);

    internal static async Task<ClusterMember> StartAsync(HostPlan plan, HostLog log)
    {
        var options = new BackgroundTaskOptions
        {
            HostName = plan.Name,
            HostTimeout = plan.HostTimeout,
            TimeProvider = new SkewedTime(plan.Skew),
            LoggerFactory = new TroubleLog(log),
        };
        _ = new HostKinds(log, options.Tasks);

        // A host that starts while the database is away is started again.
        var storeOptions = new PostgreSqlTaskStoreOptions { Schema = HostPlan.Schema, CommandTimeout = TimeSpan.FromSeconds(5) };
        var store = await PersistAsync(log, async () => await PostgreSqlTaskStore.OpenAsync(HostPlan.ConnectionString, storeOptions));
        var manager = await PersistAsync(log, async () => await BackgroundTaskManager.StartAsync(store, options));
        return new ClusterMember(plan, log, store, manager);
    }

    /// <summary>Asks for work until it is told to finish.</summary>
    internal async Task WorkAsync()
    {
        var callers = Enumerable.Range(0, TaskCallers).Select(number => new TaskCaller(_plan, number, _manager, _log).RunAsync(_finish.Token))
            .Append(new PostCaller(_plan, _manager, _log).RunAsync(_finish.Token))
            .Append(new MailCaller(_plan, _manager, _log).RunAsync(_finish.Token))
            .ToList();
        await Task.WhenAll(callers);
        Console.WriteLine("FINISHED");
    }

    internal void Finish() => _finish.Cancel();

    public async ValueTask DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _store.DisposeAsync();
        _finish.Dispose();
    }

    /// <summary>Does something until it succeeds, and writes down each fault. One that does not say that it may pass is against what is promised.</summary>
    internal static async Task<T> PersistAsync<T>(HostLog log, Func<Task<T>> act)
    {
        while (true)
        {
            try
            {
                return await act();
            }
            catch (TaskStoreException e)
            {
                Fault(log, e);
            }

            await Pause.For(100);
        }
    }

    internal static void Fault(HostLog log, TaskStoreException e) => log.Write($"F {e.Code} {(e.IsTransient ? "transient" : "lasting")} {e.Message} {e.InnerException}");
}
