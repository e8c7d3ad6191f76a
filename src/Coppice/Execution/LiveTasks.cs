using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>The tasks whose bodies run here, by id.</summary>
internal sealed class LiveTasks(WorkScheduler scheduler)
{
    private readonly ConcurrentDictionary<string, LiveTask> _tasks = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private TaskCompletionSource? _empty;
    private int _count;

    internal int Count => Volatile.Read(ref _count);

    internal IEnumerable<LiveTask> All => _tasks.Values;

    internal void Add(LiveTask task)
    {
        Interlocked.Increment(ref _count);
        _tasks[task.TaskId] = task;
    }

    internal void Remove(LiveTask task)
    {
        if (_tasks.TryRemove(task.TaskId, out _) && Interlocked.Decrement(ref _count) == 0)
        {
            lock (_lock)
            {
                if (_empty is not null)
                {
                    scheduler.Complete(_empty);
                }
            }
        }
    }

    internal bool TryGet(string taskId, [NotNullWhen(true)] out LiveTask? task) => _tasks.TryGetValue(taskId, out task);

    /// <summary>Completes when no body runs. To be asked when no more are added.</summary>
    internal Task WhenEmptyAsync()
    {
        lock (_lock)
        {
            _empty ??= scheduler.CreateSource();
            if (Count == 0)
            {
                scheduler.Complete(_empty);
            }

            return _empty.Task;
        }
    }

    /// <summary>The tasks that a cancel covers, as far as they run here: for when the store cannot be asked.</summary>
    internal IEnumerable<LiveTask> CoveredBy(RequestCancel cancel)
    {
        var covered = new HashSet<LiveTask>(All.Where(task => cancel.Scope switch
        {
            CancelScope.Thread => task.OwnerThreadId == cancel.Key,
            CancelScope.Run => task.Lineage.TaskId is null && task.Lineage.RunId == cancel.Key,
            _ => task.TaskId == cancel.Key,
        }));
        if (cancel.Scope == CancelScope.Task)
        {
            return covered;
        }

        var children = All.ToLookup(task => task.Lineage.TaskId ?? "");
        var open = new Queue<string>(covered.Select(task => task.TaskId));
        if (cancel.Scope == CancelScope.Tree)
        {
            open.Enqueue(cancel.Key);
        }

        while (open.TryDequeue(out var parentId))
        {
            foreach (var child in children[parentId].Where(covered.Add))
            {
                open.Enqueue(child.TaskId);
            }
        }

        return covered;
    }
}
