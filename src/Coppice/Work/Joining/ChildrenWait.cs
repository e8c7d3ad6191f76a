namespace Coppice;

/// <summary>
/// A wait for the children of a task. It begins to watch before it looks, so that nothing falls between, looks once, and from then on
/// goes by the change feed.
/// </summary>
internal sealed class ChildrenWait(ManagerCore core, string parentTaskId, JoinCondition condition)
{
    private readonly TaskQuery _query = new() { ParentTaskId = parentTaskId };
    private readonly Dictionary<string, TaskSnapshot> _children = new(StringComparer.Ordinal);
    private int _live;
    private int _counted;

    internal async Task<JoinResult> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await RunOnceAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (WatchOverrunException)
            {
                // Changes were missed: look anew.
                _children.Clear();
                (_live, _counted) = (0, 0);
            }
        }
    }

    private bool IsMet => condition.Count is { } count ? _counted >= count : _live == 0;

    private async Task<JoinResult> RunOnceAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var changes = core.WatchAsync(_query, stop.Token).GetAsyncEnumerator(CancellationToken.None);
        var next = changes.MoveNextAsync().AsTask();
        try
        {
            await foreach (var child in core.QueryAsync(_query, cancellationToken).ConfigureAwait(false))
            {
                Take(child);
            }

            while (!IsMet && _live > 0)
            {
                if (!await next.WaitAsync(cancellationToken).ConfigureAwait(false))
                {
                    throw new OperationCanceledException(cancellationToken);
                }

                Take(changes.Current.Task);
                next = changes.MoveNextAsync().AsTask();
            }

            return new JoinResult(IsMet, InOrder());
        }
        finally
        {
            await core.Scheduler.CancelAsync(stop).ConfigureAwait(false);
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await changes.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Take(TaskSnapshot child)
    {
        // What the feed tells may be older than what was read.
        var isKnown = _children.TryGetValue(child.TaskId, out var known);
        if (isKnown && known!.State.IsTerminal())
        {
            return;
        }

        _children[child.TaskId] = child;
        _live += (child.State.IsTerminal() ? 0 : 1) - (isKnown ? 1 : 0);
        _counted += condition.Counts(child) ? 1 : 0;
    }

    private List<TaskSnapshot> InOrder() =>
    [
        .. _children.Values.Where(static child => child.State.IsTerminal()).Order(Comparer<TaskSnapshot>.Create(
            static (left, right) => TaskCursor.Compare(TaskCursor.After(left), TaskCursor.After(right)))),
    ];
}
