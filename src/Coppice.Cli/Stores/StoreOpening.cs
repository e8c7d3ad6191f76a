using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Terminal;

namespace Coppice.Cli.Stores;

/// <summary>How commands come to a store without disturbing whoever works on it.</summary>
internal sealed class StoreOpening(StoreAddress address, CliConsole console, TimeProvider time)
{
    /// <summary>How long a host waits for the lock; a reading command may hold it for a moment, to settle orphans.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Opens the store for reading, beside whoever works on it. Where tasks are recorded as live and no host has the lock, they are
    /// settled first: the lock is held for that moment only.
    /// </summary>
    /// <exception cref="CliException">There is no store.</exception>
    /// <exception cref="TaskStoreException">It cannot be opened.</exception>
    public async Task<TaskReader> ReadAsync(CancellationToken cancellationToken) => address switch
    {
        StoreAddress.FileAddress file => await ReadAsync(file.Location, cancellationToken),
        StoreAddress.ServerAddress server => new TaskReader(await OpenAsync(server, cancellationToken)),
        _ => throw new NotSupportedException(address.Shown),
    };

    /// <summary>Opens the store, making a file where there is none, as a host: the only one of a file.</summary>
    /// <exception cref="TaskStoreException">It cannot be opened, or another host has it.</exception>
    public async Task<StoreHost> HostAsync(CancellationToken cancellationToken)
    {
        if (address is StoreAddress.ServerAddress server)
        {
            return await StartAsync(await OpenAsync(server, cancellationToken), cancellationToken);
        }

        var location = ((StoreAddress.FileAddress)address).Location;
        location.CreateFolder();
        var store = await OpenPatientlyAsync(location, cancellationToken);
        return await StartAsync(store, cancellationToken);
    }

    // The tables are for hosts and for people to make: a command that reads finds them or says that they are not there.
    private static async Task<PostgreSqlTaskStore> OpenAsync(StoreAddress.ServerAddress server, CancellationToken cancellationToken)
    {
        try
        {
            server.Options.Migrate = false;
            return await PostgreSqlTaskStore.OpenAsync(server.ConnectionString, server.Options, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new CliException(ExitCodes.Usage, e.Message, e);
        }
    }

    private async Task<TaskReader> ReadAsync(StoreLocation location, CancellationToken cancellationToken)
    {
        location.RequireExisting();
        var reader = new TaskReader(await SqliteTaskStore.OpenReadOnlyAsync(location.Path, cancellationToken: cancellationToken));
        try
        {
            if (!await reader.AnyBegunAsync(cancellationToken))
            {
                return reader;
            }

            await SettleOrphansAsync(location, cancellationToken);
            return reader;
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    private async Task<ITaskStore> OpenPatientlyAsync(StoreLocation location, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (time.GetElapsedTime(start) < LockPatience)
        {
            if (await SqliteTaskStore.TryOpenAsync(location.Path, cancellationToken: cancellationToken) is { } store)
            {
                return store;
            }

            await Task.Delay(LockRetry, time, cancellationToken);
        }

        // The refusal names the file and the process that has it.
        return await SqliteTaskStore.OpenAsync(location.Path, cancellationToken: cancellationToken);
    }

    private async Task SettleOrphansAsync(StoreLocation location, CancellationToken cancellationToken)
    {
        try
        {
            if (await SqliteTaskStore.TryOpenAsync(location.Path, cancellationToken: cancellationToken) is { } store)
            {
                await (await StartAsync(store, cancellationToken)).DisposeAsync();
            }
        }
        catch (TaskStoreException e)
        {
            console.Say($"Some tasks were left behind by a host that is gone, but cannot be settled: {e.Message} They are shown as they were stored.");
        }
    }

    private async Task<StoreHost> StartAsync(ITaskStore store, CancellationToken cancellationToken)
    {
        try
        {
            // The lock is held, so nobody changes what is live between the count and the start that settles it.
            var reader = new TaskReader(store);
            var (begun, pending) = (await reader.CountBegunAsync(cancellationToken), await reader.CountPendingAsync(cancellationToken));
            var troubles = new TroubleLog(console.Say);
            var options = new BackgroundTaskOptions { TimeProvider = time, LoggerFactory = troubles, ShutdownGracePeriod = ShutdownPatience };
            var manager = await BackgroundTaskManager.StartAsync(store, options, cancellationToken);
            if (begun > 0)
            {
                Tell(begun, recovered: await reader.CountPendingAsync(cancellationToken) - pending);
            }

            return new StoreHost(store, manager, troubles);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    private void Tell(int begun, int recovered)
    {
        if (begun > recovered)
        {
            var them = begun - recovered == 1 ? "it" : "them";
            console.Say($"{Amounts.Of(begun - recovered, "task was", "tasks were")} orphaned: the process that ran {them} is gone. 'coppice ps --status failed' lists {them}.");
        }

        if (recovered > 0)
        {
            console.Say($"{Amounts.Of(recovered, "task waits", "tasks wait")} to be run again: the process that ran {(recovered == 1 ? "it" : "them")} is gone. 'coppice ps --status pending' lists {(recovered == 1 ? "it" : "them")}.");
        }
    }
}
