using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Coppice.Agents.Tests;

/// <summary>How a host ends at one of its commits.</summary>
public enum Death
{
    /// <summary>Just before the commit.</summary>
    BeforeCommit,

    /// <summary>Just after the commit has landed; nobody hears of it.</summary>
    AfterCommit,

    /// <summary>It stands still before the commit, for so long that it is given up, and wakes up when another has done its work.</summary>
    StandsStill,
}

/// <summary>A store as one host sees it, whose host ends at one of its commits.</summary>
[SuppressMessage("Reliability", "CA2012", Justification = "The proxy returns it to the caller, as an object.")]
[SuppressMessage("Performance", "CA1852", Justification = "The proxy that is made at run time derives from it.")]
internal class DyingStore : DispatchProxy
{
    private readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private ITaskStore _inner = null!;
    private Death _death;
    private int _left;
    private bool _isDead;

    internal Task Died => _died.Task;

    /// <summary>The commit at which it ended.</summary>
    internal MutationBatch? Last { get; private set; }

    internal static (ITaskStore Store, DyingStore Host) Of(ITaskStore inner, Death death, int commit)
    {
        var proxy = Create<ITaskStore, DyingStore>();
        var dying = (DyingStore)(object)proxy;
        (dying._inner, dying._death, dying._left) = (inner, death, commit);
        return (proxy, dying);
    }

    internal void WakeUp() => _wake.SetResult();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(ITaskStore.CommitAsync))
        {
            return CommitAsync((MutationBatch)args![0]!, (CancellationToken)args[1]!);
        }

        return targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }

    private async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        bool isLast;
        lock (_lock)
        {
            // A claim that finds nothing comes at any time.
            isLast = !_isDead && !batch.Mutations.Any(static mutation => mutation is JoinHost or ClaimWork) && --_left == 0;
            if (isLast)
            {
                _isDead = true;
                Last = batch;
            }
        }

        if (isLast && _death == Death.AfterCommit)
        {
            await _inner.CommitAsync(batch, CancellationToken.None);
        }

        if (_isDead)
        {
            _died.TrySetResult();
            await _wake.Task;
        }

        return await _inner.CommitAsync(batch, cancellationToken);
    }
}
