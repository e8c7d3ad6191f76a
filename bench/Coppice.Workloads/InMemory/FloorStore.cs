using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Records by id and by thread, and a thread's mail. Safe for concurrent callers, which own a thread each.</summary>
internal sealed class FloorStore(int callers)
{
    // With one caller a lock on a plain dictionary is never contended, and the cheaper of the two.
    private readonly Dictionary<string, FloorTask> _records = [];
    private readonly ConcurrentDictionary<string, FloorTask> _shared = new();
    private readonly ConcurrentDictionary<string, FloorThread> _threads = new();
    private long _next = -1;

    internal int MailDepth => _threads.Values.Sum(thread => thread.Mail.Count);

    internal string Spawn(string threadId, Func<TaskContext, Task> body)
    {
        var thread = _threads.GetOrAdd(threadId, static _ => new FloorThread());
        var id = string.Create(CultureInfo.InvariantCulture, $"bg_{Interlocked.Increment(ref _next)}");
        var task = new FloorTask(id, thread, body);
        if (callers > 1)
        {
            _shared[id] = task;
        }
        else
        {
            lock (_records)
            {
                _records[id] = task;
            }
        }

        lock (thread)
        {
            thread.Tasks.Add(task);
            thread.Live++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(task, preferLocal: false);
        return id;
    }

    internal bool HasRunning(string threadId) => _threads.TryGetValue(threadId, out var thread) && Volatile.Read(ref thread.Live) > 0;
}

/// <summary>What belongs to one thread. Guarded by a lock on itself.</summary>
internal sealed class FloorThread
{
    internal readonly List<FloorTask> Tasks = [];
    internal readonly List<FloorMail> Mail = [];
    internal int Live;
}

/// <summary>A task's record, which is also the work item that runs its body.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The source is disposed of when the body has ended.")]
internal sealed class FloorTask(string id, FloorThread thread, Func<TaskContext, Task> body) : IThreadPoolWorkItem
{
    private Func<TaskContext, Task>? _body = body;
    private CancellationTokenSource? _source = new();

    internal string Id { get; } = id;

    internal long CreatedMs { get; } = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    internal long CompletedMs { get; private set; }

    internal TaskState State { get; private set; } = TaskState.Running;

    /// <summary>Runs the body, which has ended when it returns, and posts the mail.</summary>
    public void Execute()
    {
        _body!(null!);
        lock (thread)
        {
            State = TaskState.Completed;
            CompletedMs = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            _body = null;
            _source!.Dispose();
            _source = null;
            thread.Mail.Add(new FloorMail(Id));
            thread.Live--;
        }
    }
}

/// <summary>That a task has ended.</summary>
internal sealed record FloorMail(string TaskId);
