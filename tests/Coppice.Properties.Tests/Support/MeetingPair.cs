namespace Coppice.Properties.Tests.Support;

/// <summary>Two threads that begin one thing each at the same instant, as near as a machine can.</summary>
internal sealed class MeetingPair : IDisposable
{
    private readonly Barrier _barrier = new(2);
    private readonly SemaphoreSlim _given = new(0);
    private Func<Task> _work = static () => Task.CompletedTask;
    private TaskCompletionSource _done = new();
    private volatile bool _isOver;

    internal MeetingPair() => new Thread(Serve) { IsBackground = true }.Start();

    internal async Task MeetAsync(Func<Task> here, Func<Task> there)
    {
        _work = there;
        _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _given.Release();
        _barrier.SignalAndWait();
        await here();
        await _done.Task;
    }

    public void Dispose()
    {
        _isOver = true;
        _given.Release();
    }

    private void Serve()
    {
        while (true)
        {
            _given.Wait();
            if (_isOver)
            {
                return;
            }

            var done = _done;
            _barrier.SignalAndWait();
            _ = RunAsync(_work, done);
        }
    }

    private static async Task RunAsync(Func<Task> work, TaskCompletionSource done)
    {
        try
        {
            await work();
            done.SetResult();
        }
        catch (Exception e)
        {
            done.SetException(e);
        }
    }
}
