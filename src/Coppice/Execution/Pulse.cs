namespace Coppice;

/// <summary>Wakes whoever waits for news. Taken before one looks, so that what arrives meanwhile is not missed.</summary>
internal sealed class Pulse(WorkScheduler scheduler)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _next;

    internal Task Next()
    {
        lock (_lock)
        {
            return scheduler.WaitFor(_next ??= scheduler.CreateSource());
        }
    }

    internal void Raise()
    {
        TaskCompletionSource? next;
        lock (_lock)
        {
            (next, _next) = (_next, null);
        }

        if (next is not null)
        {
            scheduler.Complete(next);
        }
    }
}
