namespace Coppice.Samples.ResearchTeam;

/// <summary>Tells what becomes of tasks, from the manager's feed of changes.</summary>
internal sealed class TaskWatch : IAsyncDisposable
{
    private readonly Narration _narration;
    private readonly CancellationTokenSource _stop;
    private readonly DateTimeOffset _startedAt = TimeProvider.System.GetUtcNow();
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _news = new(0);
    private readonly Task _watching;

    private TaskWatch(BackgroundTaskManager manager, Narration narration, CancellationToken stop)
    {
        _narration = narration;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _watching = WatchAsync(manager, _stop.Token);
    }

    internal static TaskWatch Start(BackgroundTaskManager manager, Narration narration, CancellationToken stop) => new(manager, narration, stop);

    /// <summary>Waits until the ends of these tasks were told: the feed may be a little behind the mail.</summary>
    internal async Task SeenEndsAsync(IEnumerable<TaskSnapshot> tasks, CancellationToken stop)
    {
        var awaited = tasks.Where(task => task.State.IsTerminal() && task.CreatedAt >= _startedAt).Select(task => task.TaskId).ToHashSet();
        while (!_watching.IsCompleted && !HasSeen(awaited))
        {
            await _news.WaitAsync(stop);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _news.Dispose();
    }

    private bool HasSeen(HashSet<string> awaited)
    {
        lock (_ended)
        {
            return awaited.IsSubsetOf(_ended);
        }
    }

    // A constructor runs it up to its first wait, so no change after that is missed.
    private async Task WatchAsync(BackgroundTaskManager manager, CancellationToken stop)
    {
        try
        {
            await foreach (var change in manager.WatchAsync(null, stop))
            {
                Tell(change);
            }
        }
        finally
        {
            // Whoever waits is not kept waiting for a feed that has ended.
            _news.Release();
        }
    }

    private void Tell(TaskChange change)
    {
        var task = change.Task;
        switch (change.Kind)
        {
            case TaskChangeKind.Spawned:
                _narration.Tell(task.TaskId, $"spawned: {task.Name ?? task.Type}{(task.Continues is { } ended ? $", continues {ended}" : "")}");
                break;
            case TaskChangeKind.CancelRequested:
                _narration.Tell(task.TaskId, $"asked to stop by {task.CancelledBy}");
                break;
            case TaskChangeKind.Ended:
                _narration.Tell(task.TaskId, $"{task.State.ToWireName()}: {task.Error ?? task.Result?.ToString() ?? ""}");
                lock (_ended)
                {
                    _ended.Add(task.TaskId);
                }

                _news.Release();
                break;
        }
    }
}
