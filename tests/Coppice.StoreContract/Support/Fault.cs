namespace Coppice.StoreContract;

/// <summary>A fault that a <see cref="FaultyStore"/> was told of.</summary>
public sealed class Fault
{
    private readonly Func<MutationBatch, bool> _which;
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;

    internal Fault(Func<MutationBatch, bool> which, FaultMoment moment, int times, bool isTransient)
    {
        _which = which;
        Moment = moment;
        IsTransient = isTransient;
        _left = times;
    }

    /// <summary>Gets when it strikes.</summary>
    public FaultMoment Moment { get; }

    /// <summary>Gets whether it says that it may pass.</summary>
    public bool IsTransient { get; }

    /// <summary>Gets what is set once a batch has met it.</summary>
    public Signal Reached { get; } = new();

    internal bool IsHold { get; init; }

    internal Task Released => _released.Task;

    /// <summary>Lets a held batch go on.</summary>
    public void Release() => _released.TrySetResult();

    /// <summary>Ends a held batch with a fault.</summary>
    /// <param name="exception">The fault.</param>
    public void Release(Exception exception) => _released.TrySetException(exception);

    internal bool Covers(MutationBatch batch) => _which(batch);

    internal bool UseUp() => --_left == 0;
}
