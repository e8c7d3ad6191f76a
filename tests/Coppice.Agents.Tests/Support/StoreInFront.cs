using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Coppice.Agents.Tests;

/// <summary>In front of a store: counts what is read of tasks, and fails when a test says so.</summary>
[SuppressMessage("Performance", "CA1852", Justification = "The proxy that is made at run time derives from it.")]
internal class StoreInFront : DispatchProxy
{
    private ITaskStore _inner = null!;
    private int _reads;

    internal int Reads => Volatile.Read(ref _reads);

    /// <summary>Gets or sets what happens in front of a call, by its name: it may throw.</summary>
    internal Action<string, object?[]> Before { get; set; } = static (_, _) => { };

    internal static (ITaskStore Store, StoreInFront Front) Of(ITaskStore inner)
    {
        var proxy = Create<ITaskStore, StoreInFront>();
        var front = (StoreInFront)(object)proxy;
        front._inner = inner;
        return (proxy, front);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name is nameof(ITaskStore.GetAsync) or nameof(ITaskStore.ListAsync) or nameof(ITaskStore.HasLiveAsync)
            or nameof(ITaskStore.FindLiveChildAsync))
        {
            Interlocked.Increment(ref _reads);
        }

        Before(targetMethod.Name, args!);
        return targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
