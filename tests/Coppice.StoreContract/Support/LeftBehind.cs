using System.Collections.Concurrent;
using System.Diagnostics;

namespace Coppice.StoreContract;

/// <summary>What bodies leave behind in a program that runs on: in timers, caches, linked tokens and captured contexts.</summary>
public sealed class LeftBehind : IDisposable
{
    /// <summary>The source of the activities that are kept.</summary>
    public const string ActivitySourceName = "Coppice.StoreContract";

    private static readonly ActivitySource Activities = new(ActivitySourceName);

    private readonly ConcurrentDictionary<string, object?> _cache = new();
    private readonly ConcurrentBag<IDisposable> _disposables = [];
    private readonly TaskCompletionSource _never = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets how many tasks left something.</summary>
    public int Count => _cache.Count;

    /// <summary>Keeps what the body that calls it leaves behind.</summary>
    /// <param name="kind">What it leaves.</param>
    /// <param name="context">Its context.</param>
    public void Add(string kind, TaskContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _cache[context.TaskId] = kind switch
        {
            // The timer captures the ambient context and is given the task's own.
            "timer" => Later(new Timer(static state => GC.KeepAlive(state), context, Timeout.Infinite, Timeout.Infinite)),
            "cache" => context,
            "linked token" => Later(CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken)),
            "parked task" => context.WhenCancelledAsync(),
            "activity" => Activities.StartActivity("work") ?? throw new InvalidOperationException("Nobody listens."),
            "execution context" => ExecutionContext.Capture(),
            "code left behind" => WaitForNeverAsync(context),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "It is not known."),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _never.TrySetResult();
        while (_disposables.TryTake(out var disposable))
        {
            disposable.Dispose();
        }
    }

    private async Task WaitForNeverAsync(TaskContext context)
    {
        await _never.Task;
        GC.KeepAlive(context);
    }

    private T Later<T>(T disposable)
        where T : IDisposable
    {
        _disposables.Add(disposable);
        return disposable;
    }
}
