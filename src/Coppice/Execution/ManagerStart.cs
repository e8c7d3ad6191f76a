using System.Threading.Tasks.Sources;

namespace Coppice;

/// <summary>
/// The answer to a start. Fetching it is what "the start has returned" means, so it is only then that unread mail is told of (law 8).
/// </summary>
internal sealed class ManagerStart : IValueTaskSource<BackgroundTaskManager>
{
    private readonly BackgroundTaskManager _manager;
    private ManualResetValueTaskSourceCore<bool> _source;

    private ManagerStart(BackgroundTaskManager manager, WorkScheduler scheduler)
    {
        _manager = manager;
        _source.RunContinuationsAsynchronously = scheduler.RunsContinuationsApart;
    }

    internal static ValueTask<BackgroundTaskManager> Await(BackgroundTaskManager manager, WorkScheduler scheduler, ValueTask starting)
    {
        var start = new ManagerStart(manager, scheduler);
        _ = start.CompleteAsync(starting);
        return new ValueTask<BackgroundTaskManager>(start, start._source.Version);
    }

    public BackgroundTaskManager GetResult(short token)
    {
        _source.GetResult(token);
        _manager.Core.BeginNotifying();
        return _manager;
    }

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private async Task CompleteAsync(ValueTask starting)
    {
        try
        {
            await starting.ConfigureAwait(false);
            _source.SetResult(true);
        }
        catch (Exception e)
        {
            _source.SetException(e);
        }
    }
}
