using System.Globalization;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace Coppice.Benchmarks;

/// <summary>Single operations as a caller sees them, on a store that the derived class opens.</summary>
/// <param name="invocations">How often an operation runs in an iteration, for which what it uses up is made before.</param>
[MemoryDiagnoser(displayGenColumns: false)]
public abstract class Operations(int invocations)
{
    /// <summary>How many operations there are.</summary>
    internal const int Count = 11;

    private const string Thread = "thread";
    private const int Listed = 100;

    private static readonly JsonElement Payload = JsonSerializer.SerializeToElement(new { percent = 50 });
    private static readonly MessageSender Planner = new(Thread, "planner");

    private BackgroundTaskManager _manager = null!;
    private TaskContext _context = null!;
    private string _task = "";
    private string _agent = "";
    private Inbox _inbox = null!;
    private Inbox _mail = null!;
    private string[] _parked = [];
    private int _next;

    /// <summary>Opens the store and spawns what the operations work on: a named, parked task, an agent, and a thread of a hundred tasks.</summary>
    [GlobalSetup]
    public void SetUp() => SetUpAsync().GetAwaiter().GetResult(); // the tool does not await a set-up in this process

    [GlobalCleanup]
    public void CleanUp() => CleanUpAsync().GetAwaiter().GetResult();

    /// <summary>Acknowledges the mail that the iteration before has left, so that no iteration finds more of it than another.</summary>
    [IterationSetup]
    public void ReadMail() => ReadMailAsync().GetAwaiter().GetResult();

    [IterationSetup(Targets = [nameof(Cancel), nameof(CancelTreeOf10)])]
    public void Park() => ParkAsync().GetAwaiter().GetResult();

    [Benchmark(Description = "spawn")]
    public ValueTask<string> Spawn() => _manager.SpawnAsync(Thread, static _ => Task.CompletedTask);

    [Benchmark(Description = "spawn, named")]
    public ValueTask<string> SpawnNamed() =>
        _manager.SpawnAsync(Thread, static _ => Task.CompletedTask, new() { Name = "worker-" + _next++.ToString(CultureInfo.InvariantCulture) });

    [Benchmark(Description = "spawn and wait for the end")]
    public async Task<TaskState> SpawnAndEnd() =>
        (await _manager.WaitAsync(await _manager.SpawnAsync(Thread, static _ => Task.CompletedTask))).State;

    [Benchmark(Description = "spawn refused: the name is taken")]
    public async Task<SpawnError?> NameConflict()
    {
        try
        {
            await _manager.SpawnAsync(Thread, static _ => Task.CompletedTask, new() { Name = "taken" });
            return null;
        }
        catch (SpawnException e)
        {
            return e.Error;
        }
    }

    [Benchmark(Description = "get")]
    public ValueTask<TaskSnapshot?> Get() => _manager.GetAsync(_task);

    [Benchmark(Description = "has-running")]
    public ValueTask<bool> HasRunning() => _manager.HasRunningAsync(Thread);

    [Benchmark(Description = "list of 100")]
    public ValueTask<IReadOnlyList<TaskSnapshot>> List() => _manager.ListAsync("listed");

    [Benchmark(Description = "cancel one parked task")]
    public ValueTask<bool> Cancel() => _manager.CancelAsync(_parked[_next++]);

    [Benchmark(Description = "cancel a tree of 10 parked tasks")]
    public ValueTask<int> CancelTreeOf10() => _manager.CancelTreeAsync(_parked[_next++]);

    [Benchmark(Description = "send a message, read and acknowledge it")]
    public async Task Message()
    {
        await _manager.SendAsync(_agent, Planner, "look at the diff");
        await _inbox.AckAsync((await _inbox.ReadAsync()).Sequence);
    }

    [Benchmark(Description = "emit an event")]
    public bool Emit() => _context.Emit("progress", Payload);

    protected abstract Task<ITaskStore> OpenStoreAsync();

    protected abstract Task CloseStoreAsync();

    private async Task SetUpAsync()
    {
        _manager = await BackgroundTaskManager.StartAsync(await OpenStoreAsync(), new() { ShutdownGracePeriod = TimeSpan.FromMinutes(1) });
        _mail = await _manager.OpenInboxAsync(Thread);

        var context = new TaskCompletionSource<TaskContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        _task = await _manager.SpawnAsync(Thread, async task =>
        {
            context.SetResult(task);
            await task.WhenCancelledAsync();
        }, new() { Name = "taken" });
        _context = await context.Task;

        var inbox = new TaskCompletionSource<Inbox>(TaskCreationOptions.RunContinuationsAsynchronously);
        _agent = await _manager.SpawnAgentAsync(Thread, async agent =>
        {
            inbox.SetResult(agent.Inbox);
            await agent.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        });
        _inbox = await inbox.Task;

        for (var i = 0; i < Listed; i++)
        {
            await _manager.WaitAsync(await _manager.SpawnAsync("listed", static _ => Task.CompletedTask));
        }
    }

    private async Task CleanUpAsync()
    {
        await _manager.CancelThreadAsync(Thread);
        await _manager.DisposeAsync();
        await CloseStoreAsync();
    }

    private async Task ReadMailAsync()
    {
        while (await _mail.DrainAsync() is [.., var last])
        {
            await _mail.AckAsync(last.Sequence);
        }
    }

    /// <summary>Spawns a tree of ten for each invocation; its root is what is cancelled, alone or with its tree.</summary>
    private async Task ParkAsync()
    {
        await ReadMailAsync();
        await _manager.CancelThreadAsync("parked");
        while (await _manager.HasRunningAsync("parked"))
        {
            await Task.Yield();
        }

        _next = 0;
        _parked = await Task.WhenAll(Enumerable.Range(0, invocations).Select(_ => Task.Run(ParkTreeAsync)));
    }

    private async Task<string> ParkTreeAsync()
    {
        var root = await _manager.SpawnAsync("parked", static task => task.WhenCancelledAsync());
        for (var child = 1; child < 10; child++)
        {
            await _manager.SpawnAsync("parked", static task => task.WhenCancelledAsync(), new() { Lineage = new() { TaskId = root } });
        }

        return root;
    }
}
