namespace Coppice.Agents;

/// <summary>
/// One wait for tasks of a thread. It begins to listen before it looks, so that no end falls between, looks once, and from then on knows
/// what the change feed tells: the store is not read while it waits.
/// </summary>
internal sealed class TaskWait(ToolDoor door, IReadOnlyList<string>? taskIds, Func<int, int> neededOf)
{
    private const int ReadAtOnce = 1_000;

    private readonly Dictionary<string, TaskSnapshot> _tasks = new(StringComparer.Ordinal);
    private IReadOnlyList<string>? _taskIds = taskIds;
    private int _ended;

    /// <summary>Gets the first task that was asked for and is none of the thread's, or null.</summary>
    internal string? Missing { get; private set; }

    internal IReadOnlyList<TaskSnapshot> Ended => InOrder(static task => task.State.IsTerminal());

    internal IReadOnlyList<TaskSnapshot> Live => InOrder(static task => !task.State.IsTerminal());

    /// <summary>Waits until as many have ended as are needed.</summary>
    /// <returns>False when the time was over first.</returns>
    internal async Task<bool> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var time = new CancellationTokenSource(timeout, door.Manager.TimeProvider);
        while (true)
        {
            try
            {
                return await RunOnceAsync(time.Token, cancellationToken).ConfigureAwait(false);
            }
            catch (WatchOverrunException)
            {
                // Changes were missed: look anew.
            }
        }
    }

    private async Task<bool> RunOnceAsync(CancellationToken time, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var query = new TaskQuery { OwnerThreadId = door.ThreadId };
        var changes = door.Manager.WatchAsync(query, stop.Token).GetAsyncEnumerator(CancellationToken.None);
        var next = changes.MoveNextAsync().AsTask();
        try
        {
            if (!await ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                return true;
            }

            // What is waited for may need the room that a waiting agent takes.
            using var parked = (door.CurrentTask as DurableTaskContext)?.Park();
            var needed = neededOf(_tasks.Count);
            while (_ended < needed)
            {
                await next.WaitAsync(time).ConfigureAwait(false);
                Take(changes.Current.Task);
                next = changes.MoveNextAsync().AsTask();
            }

            return true;
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await changes.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Reads the tasks that are waited for; false when one is missing.</summary>
    private async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        _tasks.Clear();
        _ended = 0;
        Missing = null;
        if (_taskIds is null)
        {
            await ReadLiveAsync(cancellationToken).ConfigureAwait(false);
            _taskIds = [.. _tasks.Keys];
            return true;
        }

        foreach (var taskId in _taskIds)
        {
            if (await door.FindAsync(taskId, cancellationToken).ConfigureAwait(false) is not { } task)
            {
                Missing = taskId;
                return false;
            }

            Add(task);
        }

        return true;
    }

    private async ValueTask ReadLiveAsync(CancellationToken cancellationToken)
    {
        var query = new TaskQuery { OwnerThreadId = door.ThreadId, States = LiveStates.All };
        TaskCursor? after = null;
        IReadOnlyList<TaskSnapshot> page;
        do
        {
            page = await door.Manager.ListAsync(query, after, ReadAtOnce, cancellationToken).ConfigureAwait(false);
            foreach (var task in page)
            {
                Add(task);
                after = TaskCursor.After(task);
            }
        }
        while (page.Count == ReadAtOnce);
    }

    private void Add(TaskSnapshot task)
    {
        _tasks.Add(task.TaskId, task);
        _ended += task.State.IsTerminal() ? 1 : 0;
    }

    private void Take(TaskSnapshot task)
    {
        // What the feed tells may be older than what was read.
        if (!_tasks.TryGetValue(task.TaskId, out var known) || known.State.IsTerminal())
        {
            return;
        }

        _tasks[task.TaskId] = task;
        _ended += task.State.IsTerminal() ? 1 : 0;
    }

    private List<TaskSnapshot> InOrder(Func<TaskSnapshot, bool> which) =>
    [
        .. _tasks.Values.Where(which).Order(Comparer<TaskSnapshot>.Create(
            static (left, right) => TaskCursor.Compare(TaskCursor.After(left), TaskCursor.After(right)))),
    ];
}
