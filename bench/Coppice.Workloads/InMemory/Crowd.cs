using System.Globalization;

namespace Coppice.Workloads;

/// <summary>A store with other tasks in it, and a hundred named, parked tasks and an agent that are measured.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    internal const int OwnTasks = 100;
    internal const int MessagesATurn = 1000;
    internal const string OwnThread = "own";
    internal const string CancelledThread = "cancelled";

    private const int Threads = 1000;
    private const int LiveShare = 10;

    private readonly InMemoryTaskStore _store = new();
    private HostFence _host;
    private long _batch;
    private Inbox? _inbox;

    internal BackgroundTaskManager Manager { get; private set; } = null!;

    internal string[] Own { get; private set; } = [];

    internal string Agent { get; private set; } = "";

    /// <summary>Spawns the others on a thousand threads: one in ten is live and parked, the rest have ended.</summary>
    internal static async Task<Crowd> GatherAsync(int others)
    {
        var crowd = new Crowd();
        var manager = crowd.Manager = await BackgroundTaskManager.StartAsync(crowd._store, new()
        {
            ShutdownGracePeriod = TimeSpan.Zero,
            HostTimeout = TimeSpan.FromHours(1), // the second host below never beats
        });
        for (var i = 0; i < others; i++)
        {
            var thread = "other-" + (i % Threads).ToString(CultureInfo.InvariantCulture);
            await (i % LiveShare == 0 ? manager.SpawnAsync(thread, Bodies.Parked) : manager.SpawnAsync(thread, Bodies.Empty));
        }

        // Each ended task has left its mail.
        while (crowd._store.MailDepth < others - ((others + LiveShare - 1) / LiveShare))
        {
            await Task.Yield();
        }

        crowd.Own = await crowd.SpawnParkedAsync(OwnThread);
        var opened = new TaskCompletionSource<Inbox>(TaskCreationOptions.RunContinuationsAsynchronously);
        crowd.Agent = await manager.SpawnAgentAsync(OwnThread, async context =>
        {
            opened.SetResult(context.Inbox);
            await context.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        });
        crowd._inbox = await opened.Task;
        var joined = await crowd._store.CommitAsync(
            new(new(0, 0), HostFence.None, TimeProvider.System.GetUtcNow(), [new JoinHost("benchmark")]), CancellationToken.None);
        crowd._host = ((HostJoined)joined.Answers[0]).Fence;
        return crowd;
    }

    /// <summary>Spawns a hundred named tasks and waits until all of them are parked.</summary>
    internal async Task<string[]> SpawnParkedAsync(string thread)
    {
        var parked = new Countdown(OwnTasks);
        var ids = new string[OwnTasks];
        for (var i = 0; i < OwnTasks; i++)
        {
            ids[i] = await Manager.SpawnAsync(
                thread,
                context =>
                {
                    var task = Bodies.Parked(context);
                    parked.Signal();
                    return task;
                },
                new() { Name = NameOf(i) });
        }

        await parked.Reached;
        return ids;
    }

    /// <summary>
    /// Hands the store a spawn under the name of a live task, which it refuses. Not through the manager, whose exception would cost far
    /// more than the check.
    /// </summary>
    internal async ValueTask RefuseNameAsync(int number)
    {
        var task = new AddTask { OwnerThreadId = OwnThread, Type = "task", Name = NameOf(number) };
        var result = await _store.CommitAsync(
            new(new(_host.Epoch, ++_batch), _host, TimeProvider.System.GetUtcNow(), [task]), CancellationToken.None);
        if (result.Answers is not [AddRefused { Error: SpawnError.DuplicateName }])
        {
            throw new InvalidOperationException("The store took a name twice.");
        }
    }

    internal async Task EmptyInboxAsync()
    {
        for (var read = 0; read < MessagesATurn;)
        {
            var items = await _inbox!.DrainAsync();
            read += items.Count;
            await _inbox.AckAsync(items[^1].Sequence);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Manager.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static string NameOf(int number) => Names[number];

    private static readonly string[] Names =
        [.. Enumerable.Range(0, OwnTasks).Select(number => "worker-" + number.ToString(CultureInfo.InvariantCulture))];
}
