using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>Calls <see cref="BackgroundTaskOptions.OnUnreadMail"/>: one call at a time for each thread, none before the start has returned.</summary>
internal sealed class UnreadMailNotifier(
    Func<string, CancellationToken, ValueTask>? callback, WorkScheduler scheduler, ILogger logger, CancellationToken stopping)
{
    private readonly Lock _lock = new();

    // A thread is here while a call for it is due or going on; the value says whether another is due after it.
    private readonly Dictionary<string, bool> _due = new(StringComparer.Ordinal);
    private bool _hasBegun;

    internal bool IsWanted => callback is not null;

    internal bool IsHandling => IsWanted && !stopping.IsCancellationRequested;

    internal void Notify(string threadId)
    {
        if (callback is null || stopping.IsCancellationRequested)
        {
            return;
        }

        lock (_lock)
        {
            if (!_due.TryAdd(threadId, false))
            {
                _due[threadId] = true;
                return;
            }

            if (!_hasBegun)
            {
                return;
            }
        }

        Call(threadId);
    }

    /// <summary>The start has returned: calls may be made.</summary>
    internal void Begin()
    {
        string[] threads;
        lock (_lock)
        {
            _hasBegun = true;
            threads = [.. _due.Keys];
        }

        foreach (var threadId in threads)
        {
            Call(threadId);
        }
    }

    private void Call(string threadId) => scheduler.Queue(new DueCall(this, threadId));

    private async Task CallAsync(string threadId)
    {
        do
        {
            try
            {
                if (!stopping.IsCancellationRequested)
                {
                    await callback!(threadId, stopping).ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                // The manager is going; the next start tells of the same mail.
            }
            catch (Exception e)
            {
                Log.UnreadMailCallbackFailed(logger, threadId, e);
            }
        }
        while (IsDueAgain(threadId));
    }

    private bool IsDueAgain(string threadId)
    {
        lock (_lock)
        {
            if (_due[threadId] && !stopping.IsCancellationRequested)
            {
                _due[threadId] = false;
                return true;
            }

            _due.Remove(threadId);
            return false;
        }
    }

    private sealed class DueCall(UnreadMailNotifier notifier, string threadId) : IThreadPoolWorkItem
    {
        public void Execute() => _ = notifier.CallAsync(threadId);
    }
}
