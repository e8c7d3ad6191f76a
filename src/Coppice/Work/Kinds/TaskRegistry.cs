using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice;

/// <summary>The kinds of task that a host knows, and what runs them.</summary>
public sealed class TaskRegistry : IEnumerable<TaskKind>
{
    private readonly Dictionary<string, RegisteredKind> _kinds = new(StringComparer.Ordinal);

    /// <summary>Gets how many kinds are registered.</summary>
    public int Count => _kinds.Count;

    /// <summary>Registers a kind.</summary>
    /// <typeparam name="TInput">The type of the input.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="kind">The kind.</param>
    /// <param name="run">What an attempt does with the input. An exception is a failure, which <see cref="TaskKind.Retry"/> may try again.</param>
    /// <exception cref="ArgumentException">Another kind of this name is registered.</exception>
    public void Add<TInput, TResult>(TaskKind<TInput, TResult> kind, Func<TInput, DurableTaskContext, Task<TResult>> run)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(run);
        Add(new RegisteredKind<TInput, TResult>(kind, run));
    }

    /// <summary>Registers a kind whose attempts have services, each in a scope of its own.</summary>
    /// <typeparam name="TInput">The type of the input.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="kind">The kind.</param>
    /// <param name="scopes">Where the scopes come from. An attempt finds its own as <see cref="DurableTaskContext.Services"/>; it ends with the attempt.</param>
    /// <param name="run">What an attempt does with the input. An exception is a failure, which <see cref="TaskKind.Retry"/> may try again.</param>
    /// <exception cref="ArgumentException">Another kind of this name is registered.</exception>
    public void Add<TInput, TResult>(
        TaskKind<TInput, TResult> kind, IServiceScopeFactory scopes, Func<TInput, DurableTaskContext, Task<TResult>> run)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(scopes);
        ArgumentNullException.ThrowIfNull(run);
        Add(kind.Register(scopes, run));
    }

    /// <inheritdoc/>
    public IEnumerator<TaskKind> GetEnumerator() => _kinds.Values.Select(static registered => registered.Kind).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal void Add(RegisteredKind registered)
    {
        if (!_kinds.TryAdd(registered.Kind.Name, registered))
        {
            throw new ArgumentException($"A kind of task named '{registered.Kind.Name}' is registered already; names of kinds are unique.");
        }
    }

    internal bool Contains(TaskKind kind) => _kinds.TryGetValue(kind.Name, out var registered) && ReferenceEquals(registered.Kind, kind);

    internal bool TryFind(string kind, [NotNullWhen(true)] out RegisteredKind? registered) => _kinds.TryGetValue(kind, out registered);

    /// <summary>A task as the store has it, with the reason why it is pending.</summary>
    internal TaskSnapshot Explain(TaskSnapshot task) => task is not { State: TaskState.Pending, Work: { } work } ? task : task with
    {
        PendingReason = work.DueAt is not null ? PendingReason.NotDue
            : !_kinds.TryGetValue(work.Kind, out var registered) ? PendingReason.UnknownKind
            : work.Version > registered.Kind.Version ? PendingReason.NewerVersion
            : PendingReason.Queued,
    };

    internal IReadOnlyList<TaskSnapshot> Explain(IReadOnlyList<TaskSnapshot> tasks) =>
        tasks.Any(static task => task is { State: TaskState.Pending, Work: not null }) ? [.. tasks.Select(Explain)] : tasks;

    internal TaskRegistry Copy()
    {
        var copy = new TaskRegistry();
        foreach (var registered in _kinds.Values)
        {
            copy.Add(registered);
        }

        return copy;
    }
}
