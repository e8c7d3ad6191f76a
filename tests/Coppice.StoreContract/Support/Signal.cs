namespace Coppice.StoreContract;

/// <summary>Something that happens once and can be waited for.</summary>
public sealed class Signal
{
    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets whether it has happened.</summary>
    public bool IsSet => _source.Task.IsCompleted;

    /// <summary>Gets a task that completes when it happens; without a guard.</summary>
    public Task Task => _source.Task;

    /// <summary>Says that it has happened. Again does nothing.</summary>
    public void Set() => _source.TrySetResult();

    /// <summary>Waits for it, within the guard.</summary>
    public Task WaitAsync() => _source.Task.Within();
}
