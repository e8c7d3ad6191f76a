namespace Coppice.Workloads;

/// <summary>A signal for when so many have come.</summary>
internal sealed class Countdown
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;

    internal Countdown(int count)
    {
        _left = count;
        if (count == 0)
        {
            _reached.SetResult();
        }
    }

    internal Task Reached => _reached.Task;

    internal void Signal()
    {
        if (Interlocked.Decrement(ref _left) == 0)
        {
            _reached.SetResult();
        }
    }
}
