using System.Collections.Concurrent;

namespace Coppice.Properties.Tests.Support;

/// <summary>Waits for events, told apart by the number they carry, until they are stored.</summary>
internal sealed class Arrivals : ITaskStoreListener
{
    private readonly ConcurrentDictionary<int, TaskCompletionSource> _arrivals = new();

    public bool WantsChanges { get; init; } = true;

    internal Task OfAsync(int number) => Arrival(number).Task;

    public void OnChange(TaskChange change)
    {
        if (change.Event is { } emitted)
        {
            Arrival(emitted.Payload.GetInt32()).TrySetResult();
        }
    }

    public void OnCancelRequested(string taskId, long ownerEpoch)
    {
    }

    public void OnEnded(string taskId)
    {
    }

    public void OnMail(string threadId, bool wakes, bool hasReader)
    {
    }

    public void OnMailboxOpened(string threadId, Guid reader, Guid? takenFrom)
    {
    }

    public void OnMailLeftUnread(string threadId)
    {
    }

    public void OnWork(string kind, DateTimeOffset? at)
    {
    }

    public void OnHostFenced(HostFence fence)
    {
    }

    private TaskCompletionSource Arrival(int number) =>
        _arrivals.GetOrAdd(number, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
