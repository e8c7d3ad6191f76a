namespace Coppice;

/// <summary>Wakes the readers of a mailbox. Taken before a read, so that mail that arrives meanwhile is not missed.</summary>
internal sealed class MailSignal
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _next;

    internal Task Next()
    {
        lock (_lock)
        {
            return (_next ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    internal void Raise()
    {
        TaskCompletionSource? next;
        lock (_lock)
        {
            (next, _next) = (_next, null);
        }

        next?.TrySetResult();
    }
}
