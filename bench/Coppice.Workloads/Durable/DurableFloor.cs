using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace Coppice.Workloads;

/// <summary>
/// The smallest program that does in memory what a task of a registered kind has to: its input as JSON in a record, a queue of those that may
/// begin, at most a hundred at once on the thread pool, the result as JSON, and a mail record. No manager, no lanes, no laws.
/// </summary>
internal static class DurableFloor
{
    internal static Task<Figures> RunAsync(Parameters parameters) => InMemoryRun.RunAsync(parameters, 500_000, MeasureAsync);

    private static Task<double> MeasureAsync(int tasks, int callers)
    {
        var store = new DurableFloorStore();
        return InMemoryRun.MeasureAsync(tasks, callers, (thread, count) => SpawnAsync(store, store.Thread(thread), count), () => store.MailDepth);
    }

    private static async Task SpawnAsync(DurableFloorStore store, DurableFloorThread thread, int count)
    {
        for (var i = 0; i < count; i++)
        {
            store.Spawn(thread, JsonSerializer.SerializeToElement(DurableKinds.Value, DurableJson.Default.Int32));
        }

        while (Volatile.Read(ref thread.Live) > 0)
        {
            await Task.Yield();
        }
    }
}

/// <summary>Records by id and by thread, those that may begin, and how many run.</summary>
internal sealed class DurableFloorStore
{
    private const int Limit = 100;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, DurableFloorTask> _records = [];
    private readonly Dictionary<string, DurableFloorThread> _threads = [];
    private readonly Queue<DurableFloorTask> _ready = [];
    private long _next = -1;
    private int _running;

    internal int MailDepth => _threads.Values.Sum(thread => thread.Mail.Count);

    internal DurableFloorThread Thread(string id)
    {
        lock (_lock)
        {
            return _threads.TryGetValue(id, out var known) ? known : _threads[id] = new DurableFloorThread();
        }
    }

    internal void Spawn(DurableFloorThread thread, JsonElement input)
    {
        var task = new DurableFloorTask(string.Create(CultureInfo.InvariantCulture, $"bg_{Interlocked.Increment(ref _next)}"), this, thread, input);
        lock (thread)
        {
            thread.Tasks.Add(task);
            thread.Live++;
        }

        lock (_lock)
        {
            _records[task.Id] = task;
            _ready.Enqueue(task);
        }

        Begin(ended: 0);
    }

    /// <summary>Begins the next one, where there is room.</summary>
    internal void Begin(int ended)
    {
        DurableFloorTask? next;
        lock (_lock)
        {
            _running -= ended;
            if (_running >= Limit || !_ready.TryDequeue(out next))
            {
                return;
            }

            _running++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(next, preferLocal: false);
    }
}

/// <summary>What belongs to one thread. Guarded by a lock on itself.</summary>
internal sealed class DurableFloorThread
{
    internal readonly List<DurableFloorTask> Tasks = [];
    internal readonly List<FloorMail> Mail = [];
    internal int Live;
}

/// <summary>A task's record, which is also the work item that runs its body.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The source is disposed of when the body has ended.")]
internal sealed class DurableFloorTask(string id, DurableFloorStore store, DurableFloorThread thread, JsonElement input) : IThreadPoolWorkItem
{
    private CancellationTokenSource? _source = new();

    internal string Id { get; } = id;

    internal long CreatedMs { get; } = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    internal long CompletedMs { get; private set; }

    internal int Attempt { get; private set; }

    internal JsonElement Result { get; private set; }

    internal TaskState State { get; private set; } = TaskState.Pending;

    /// <summary>Runs the body, which has ended when it returns, and posts the mail.</summary>
    public void Execute()
    {
        lock (thread)
        {
            State = TaskState.Running;
            Attempt++;
        }

        var result = JsonSerializer.SerializeToElement(input.Deserialize(DurableJson.Default.Int32), DurableJson.Default.Int32);
        lock (thread)
        {
            State = TaskState.Completed;
            Result = result;
            CompletedMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            _source!.Dispose();
            _source = null;
            thread.Mail.Add(new FloorMail(Id));
            thread.Live--;
        }

        store.Begin(ended: 1);
    }
}
