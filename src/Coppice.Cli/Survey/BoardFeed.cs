namespace Coppice.Cli.Survey;

/// <summary>Keeps a board up with the change feed of a manager.</summary>
internal sealed class BoardFeed(BackgroundTaskManager manager, SurveyBoard board)
{
    private static readonly TaskState[] LiveStates = [TaskState.Pending, TaskState.Running, TaskState.InputRequired];

    /// <summary>Listens from now on; what is committed once this has returned is not missed.</summary>
    /// <returns>The listening, which ends with the token.</returns>
    public Task Begin(CancellationToken done)
    {
        var changes = manager.WatchAsync(cancellationToken: done).GetAsyncEnumerator(done);
        return FollowAsync(changes, changes.MoveNextAsync(), done);
    }

    private async Task FollowAsync(IAsyncEnumerator<TaskChange> changes, ValueTask<bool> next, CancellationToken done)
    {
        try
        {
            while (true)
            {
                try
                {
                    while (await next)
                    {
                        board.Apply(changes.Current);
                        next = changes.MoveNextAsync();
                    }

                    return;
                }
                catch (WatchOverrunException)
                {
                    await changes.DisposeAsync();
                    changes = manager.WatchAsync(cancellationToken: done).GetAsyncEnumerator(done);
                    next = changes.MoveNextAsync();
                    board.Reset(await manager.QueryAsync(new TaskQuery { States = LiveStates }, done).ToListAsync(done));
                }
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // The survey has ended.
        }
        finally
        {
            await changes.DisposeAsync();
        }
    }
}
