using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>
/// The tasks whose bodies run here, by id. The tasks themselves are the links of the table's chains, so that holding one costs next to
/// nothing; it is in parts with a lock each, so that callers seldom meet.
/// </summary>
internal sealed class LiveTasks
{
    private const int Parts = 16;

    private readonly WorkScheduler _scheduler;
    private readonly TaskWaiters _waiters;
    private readonly Part[] _parts = new Part[Parts];
    private readonly Lock _lock = new();
    private TaskCompletionSource? _empty;

    internal LiveTasks(WorkScheduler scheduler, TaskWaiters waiters)
    {
        (_scheduler, _waiters) = (scheduler, waiters);
        for (var i = 0; i < Parts; i++)
        {
            _parts[i] = new Part();
        }
    }

    internal int Count
    {
        get
        {
            var count = 0;
            foreach (var part in _parts)
            {
                count += part.Count;
            }

            return count;
        }
    }

    internal IReadOnlyList<LiveTask> All
    {
        get
        {
            var all = new List<LiveTask>();
            foreach (var part in _parts)
            {
                part.CopyTo(all);
            }

            return all;
        }
    }

    internal void Add(LiveTask task)
    {
        task.Hash = HashOf(task.TaskId);
        PartOf(task.Hash).Add(task);
    }

    internal void Remove(LiveTask task)
    {
        if (!PartOf(task.Hash).Remove(task))
        {
            return;
        }

        // Its end may have been told before somebody began to wait, who found it here and did not read it.
        _waiters.Wake(task.TaskId);
        if (Volatile.Read(ref _empty) is not null)
        {
            CompleteIfEmpty();
        }
    }

    internal bool TryGet(string taskId, [NotNullWhen(true)] out LiveTask? task)
    {
        var hash = HashOf(taskId);
        task = PartOf(hash).Find(taskId, hash);
        return task is not null;
    }

    /// <summary>Completes when no body runs. To be asked when no more are added.</summary>
    internal Task WhenEmptyAsync()
    {
        lock (_lock)
        {
            _empty ??= _scheduler.CreateSource();
        }

        CompleteIfEmpty();
        return _empty.Task;
    }

    /// <summary>The tasks that a cancel covers, as far as they run here: for when the store cannot be asked.</summary>
    internal IEnumerable<LiveTask> CoveredBy(RequestCancel cancel)
    {
        var all = All;
        var covered = new HashSet<LiveTask>(all.Where(task => cancel.Scope switch
        {
            CancelScope.Thread => task.OwnerThreadId == cancel.Key,
            CancelScope.Run => task.Lineage.TaskId is null && task.Lineage.RunId == cancel.Key,
            _ => task.TaskId == cancel.Key,
        }));
        if (cancel.Scope == CancelScope.Task)
        {
            return covered;
        }

        var children = all.ToLookup(task => task.Lineage.TaskId ?? "");
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

    private void CompleteIfEmpty()
    {
        if (Count == 0)
        {
            _scheduler.Complete(_empty!);
        }
    }

    private Part PartOf(uint hash) => _parts[hash % Parts];

    /// <summary>Ids that stores count lie next to each other, so they spread by their number.</summary>
    private static uint HashOf(string taskId) =>
        TaskIds.TryParse(taskId, out var number) ? (uint)number : (uint)string.GetHashCode(taskId, StringComparison.Ordinal);

    private sealed class Part
    {
        private const int Smallest = 16;

        private LiveTask?[] _chains = new LiveTask?[Smallest];
        private volatile int _count;

        internal int Count => _count;

        internal void Add(LiveTask task)
        {
            lock (this)
            {
                if (_count == _chains.Length)
                {
                    Resize(_chains.Length * 2);
                }

                Link(task);
                _count++;
            }
        }

        internal bool Remove(LiveTask task)
        {
            lock (this)
            {
                ref var link = ref ChainOf(task.Hash);
                while (link is not null && !ReferenceEquals(link, task))
                {
                    link = ref link.NextLive;
                }

                if (link is null)
                {
                    return false;
                }

                link = task.NextLive;
                task.NextLive = null;
                if (--_count < _chains.Length / 8 && _chains.Length > Smallest)
                {
                    Resize(_chains.Length / 4);
                }

                return true;
            }
        }

        internal LiveTask? Find(string taskId, uint hash)
        {
            lock (this)
            {
                LiveTask? found = null;
                for (var task = ChainOf(hash); task is not null; task = task.NextLive)
                {
                    // An attempt that has lost its task may go on beside the one that has it.
                    if (task.Hash == hash && task.TaskId == taskId && (found is null || task.Claim > found.Claim))
                    {
                        found = task;
                    }
                }

                return found;
            }
        }

        internal void CopyTo(List<LiveTask> all)
        {
            lock (this)
            {
                foreach (var first in _chains)
                {
                    for (var task = first; task is not null; task = task.NextLive)
                    {
                        all.Add(task);
                    }
                }
            }
        }

        private ref LiveTask? ChainOf(uint hash) => ref _chains[hash / Parts % (uint)_chains.Length];

        private void Link(LiveTask task)
        {
            ref var chain = ref ChainOf(task.Hash);
            task.NextLive = chain;
            chain = task;
        }

        private void Resize(int length)
        {
            var old = _chains;
            _chains = new LiveTask?[length];
            foreach (var first in old)
            {
                for (var task = first; task is not null;)
                {
                    var next = task.NextLive;
                    Link(task);
                    task = next;
                }
            }
        }
    }
}
