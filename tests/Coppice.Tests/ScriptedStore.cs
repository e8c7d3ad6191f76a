using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace Coppice.Tests;

/// <summary>A store in memory that answers some calls as a test says, and outlives whoever disposes it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A store in memory holds nothing but memory.")]
[SuppressMessage("Performance", "CA1852", Justification = "The proxy that is made at run time derives from it.")]
internal class ScriptedStore : DispatchProxy
{
    private readonly InMemoryTaskStore _inner = new InMemoryTaskStore();

    /// <summary>Gets or sets what becomes of the answer to a heartbeat.</summary>
    internal Func<IReadOnlyList<HostStatus>, IReadOnlyList<HostStatus>> OnHeartbeat { get; set; } = static hosts => hosts;

    /// <summary>Gets or sets what happens to a batch instead of its commit, or null for the commit.</summary>
    internal Func<Mutation, CommitResult?> OnCommit { get; set; } = static _ => null;

    /// <summary>Gets or sets what becomes of a batch that is looked up, or null for what the store says.</summary>
    internal Func<MutationBatch, CommitResult?>? OnFindCommit { get; set; }

    /// <summary>Gets or sets whether readers of mail are told that somebody else reads.</summary>
    internal bool ReadersAreStrangers { get; set; }

    internal List<HostFence> Settled { get; } = [];

    internal static (ITaskStore Store, ScriptedStore Script) Create()
    {
        var proxy = Create<ITaskStore, ScriptedStore>();
        return (proxy, (ScriptedStore)(object)proxy);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod!.Name)
        {
            case nameof(IAsyncDisposable.DisposeAsync):
                return ValueTask.CompletedTask;
            case nameof(ITaskStore.HeartbeatAsync):
                return new ValueTask<IReadOnlyList<HostStatus>>(HeartbeatAsync((HostFence)args![0]!));
            case nameof(ITaskStore.ReadMailAsync) when ReadersAreStrangers:
                return new ValueTask<MailPage>(new MailPage(false, []));
            case nameof(ITaskStore.FindCommitAsync) when OnFindCommit is { } find:
                return new ValueTask<CommitResult?>(find((MutationBatch)args![0]!));
            case nameof(ITaskStore.CommitAsync) when ((MutationBatch)args![0]!).Mutations is [var mutation]:
                if (mutation is SettleHost settle)
                {
                    Settled.Add(settle.Fence);
                }

                if (OnCommit(mutation) is { } answer)
                {
                    return new ValueTask<CommitResult>(answer);
                }

                break;
        }

        return targetMethod.Invoke(_inner, args);
    }

    private async Task<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence) =>
        OnHeartbeat(await ((ITaskStore)_inner).HeartbeatAsync(fence, CancellationToken.None));
}
