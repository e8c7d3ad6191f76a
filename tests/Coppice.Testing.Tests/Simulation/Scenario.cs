namespace Coppice.Testing.Tests;

/// <summary>Several callers on up to three hosts that crash, stand still, leave and come back. What they do and when is chance.</summary>
internal abstract class Scenario(SimulationWorld world)
{
    private int _hosts;

    protected SimulationWorld World => world;

    /// <summary>Gets the ids of the tasks that were spawned.</summary>
    protected List<string> Tasks { get; } = [];

    /// <summary>Gets the ids of those of them that have an inbox.</summary>
    protected List<string> Agents { get; } = [];

    protected SimulatedHost[] Alive => [.. world.Hosts.Where(static host => host.IsAlive && host.HasStarted && !host.IsDisposing)];

    /// <summary>Sets the options of a host.</summary>
    protected abstract void Configure(BackgroundTaskOptions options);

    /// <summary>Does the next thing, on one of the hosts that are alive.</summary>
    protected abstract Task NextAsync();

    /// <summary>Starts a host and does from three to so many things, with at least one host alive before each.</summary>
    protected async Task PlayAsync(int atMost)
    {
        await StartHostAsync();
        var steps = 3 + world.Choose(atMost - 2);
        for (var i = 0; i < steps; i++)
        {
            while (Alive.Length == 0)
            {
                await StartHostAsync();
            }

            await NextAsync();
        }
    }

    protected Task StartHostAsync() => world.StartHostAsync("h" + _hosts++, Configure);

    /// <summary>A caller in the host's process. Sometimes the scenario waits for it.</summary>
    protected async Task DoAsync(SimulatedHost host, Func<BackgroundTaskManager, Task> work)
    {
        var isAwaited = world.Choose(2) == 0;
        var task = host.RunAsync(manager => TolerateAsync(() => work(manager))).UnlessCrashedAsync();
        if (isAwaited)
        {
            await Task.WhenAny(task, world.DelayAsync(TimeSpan.FromSeconds(5)));
        }
    }

    protected async Task PauseAsync(SimulatedHost host, TimeSpan time)
    {
        host.Pause();
        await world.DelayAsync(time);
        host.Resume();
    }

    protected async Task TolerateAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (IsAnswer(e))
        {
            // The caller lives with it.
        }
        catch (Exception e)
        {
            world.Run.Unexpected ??= e;
        }
    }

    /// <summary>Whether this may come of a call when stores fail and hosts go.</summary>
    protected virtual bool IsAnswer(Exception e) =>
        e is TaskStoreException or SpawnException or ObjectDisposedException or KeyNotFoundException or OperationCanceledException;

    protected T Pick<T>(IReadOnlyList<T> among) => among[world.Choose(among.Count)];

    protected string AnyTask() => Tasks.Count == 0 ? "bg_0" : Pick(Tasks);
}
