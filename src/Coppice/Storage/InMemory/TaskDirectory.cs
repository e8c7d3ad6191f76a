using System.Collections.Concurrent;
using System.Numerics;

namespace Coppice;

/// <summary>
/// Finds a task by its id, and gives ids out. Numbered ids live in blocks, so that a look-up costs the same at any size; numbers far out,
/// which only a snapshot brings, are looked up by their block.
/// </summary>
internal sealed class TaskDirectory
{
    private const int BlockSize = 1024;
    private const int MaxNearBlocks = 64 * 1024;

    // Holds the place of an id that was given out and whose task is not there yet.
    private static readonly object Reserved = new();

    private readonly Lock _ids = new();
    private readonly ConcurrentDictionary<long, object?[]> _farBlocks = new();
    private readonly ConcurrentDictionary<string, object> _others = new(StringComparer.Ordinal);
    private object?[]?[] _nearBlocks = new object?[]?[16];
    private long _next;
    private object?[] _lastBlock = [];
    private long _lastBlockNumber = -1;

    internal IEnumerable<TaskRecord> All =>
        Volatile.Read(ref _nearBlocks).OfType<object?[]>()
            .Concat(_farBlocks.OrderBy(block => block.Key).Select(block => block.Value))
            .SelectMany(block => block)
            .Concat(_others.Values)
            .OfType<TaskRecord>();

    internal TaskRecord? Find(string taskId)
    {
        if (!TaskIds.TryParse(taskId, out var number))
        {
            return _others.GetValueOrDefault(taskId) as TaskRecord;
        }

        return Block(number / BlockSize) is { } block ? Volatile.Read(ref block[number % BlockSize]) as TaskRecord : null;
    }

    /// <summary>Takes the next number. Its task has to follow.</summary>
    internal Reservation Reserve()
    {
        lock (_ids)
        {
            while (true)
            {
                var number = _next++;
                if (number <= TaskIds.MaxCounted)
                {
                    Slot(number) = Reserved;
                    return new Reservation(this, number, _lastBlock);
                }

                // Past what is counted an id is text like any other, and a snapshot may have brought it already.
                if (_others.TryAdd(TaskIds.Format(number), Reserved))
                {
                    return new Reservation(this, number, null);
                }
            }
        }
    }

    /// <summary>Adds a task with an id from elsewhere, unless the id is known; moves the counter past it.</summary>
    internal bool TryAdd(TaskRecord task)
    {
        if (!TaskIds.TryParse(task.TaskId, out var number))
        {
            return _others.TryAdd(task.TaskId, task);
        }

        lock (_ids)
        {
            ref var slot = ref Slot(number);
            if (slot is not null)
            {
                return false;
            }

            Volatile.Write(ref slot, task);
            _next = Math.Max(_next, number + 1);
            return true;
        }
    }

    /// <summary>Forgets a task. Its id is not given out again.</summary>
    internal void Remove(TaskRecord task)
    {
        if (!TaskIds.TryParse(task.TaskId, out var number))
        {
            _others.TryRemove(task.TaskId, out _);
            return;
        }

        lock (_ids)
        {
            Slot(number) = null;
        }
    }

    private ref object? Slot(long number)
    {
        var blockNumber = number / BlockSize;
        if (blockNumber != _lastBlockNumber)
        {
            _lastBlock = Block(blockNumber) ?? AddBlock(blockNumber);
            _lastBlockNumber = blockNumber;
        }

        return ref _lastBlock[number % BlockSize];
    }

    private object?[]? Block(long blockNumber)
    {
        var near = Volatile.Read(ref _nearBlocks);
        return (ulong)blockNumber < (ulong)near.Length
            ? Volatile.Read(ref near[blockNumber])
            : _farBlocks.GetValueOrDefault(blockNumber);
    }

    private object?[] AddBlock(long blockNumber)
    {
        var block = new object?[BlockSize];
        if (blockNumber >= MaxNearBlocks)
        {
            return _farBlocks[blockNumber] = block;
        }

        var near = _nearBlocks;
        if (blockNumber >= near.Length)
        {
            Array.Resize(ref near, (int)BitOperations.RoundUpToPowerOf2((uint)blockNumber + 1));
        }

        near[blockNumber] = block;
        Volatile.Write(ref _nearBlocks, near);
        return block;
    }

    /// <summary>An id that was given out, and the place for its task.</summary>
    internal readonly struct Reservation(TaskDirectory directory, long number, object?[]? block)
    {
        internal long Number => number;

        internal void Publish(TaskRecord task)
        {
            if (block is null)
            {
                directory._others[task.TaskId] = task;
            }
            else
            {
                Volatile.Write(ref block[number % BlockSize], task);
            }
        }
    }
}
