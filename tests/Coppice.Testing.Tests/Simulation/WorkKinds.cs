using Polly;

namespace Coppice.Testing.Tests;

/// <summary>Kinds of simulated tasks: each recovery policy, retries, timeouts, limits, agents.</summary>
internal static class WorkKinds
{
    /// <summary>Is never run again, unless it fails by itself.</summary>
    internal static TaskKind<Order, int> Once { get; } = new("once") { RestartIntensity = Often };

    internal static TaskKind<Order, int> OnceRetried { get; } = new("once-retried") { Retry = Retries(2), RestartIntensity = Often };

    internal static TaskKind<Order, int> Again { get; } = new("again")
    {
        Recovery = RecoveryPolicy.Idempotent, Retry = Retries(1), MaxCrashes = 2, AttemptTimeout = TimeSpan.FromSeconds(6), RestartIntensity = Often,
    };

    internal static TaskKind<Order, int> Steps { get; } = new("steps")
    {
        Recovery = RecoveryPolicy.Resumable, Retry = Retries(3), MaxConcurrencyPerThread = 2, RestartIntensity = Often,
    };

    internal static TaskKind<Order, int> Narrow { get; } = new("narrow")
    {
        Recovery = RecoveryPolicy.Resumable, Retry = Retries(1), MaxConcurrency = 2, MaxConcurrencyPerThread = 1, RestartIntensity = Often,
    };

    internal static TaskKind<Order, int> Dated { get; } = new("dated")
    {
        Recovery = RecoveryPolicy.Idempotent, Timeout = TimeSpan.FromSeconds(15), AttemptTimeout = TimeSpan.FromSeconds(4), Retry = Retries(2),
        MaxCrashes = 1, RestartIntensity = Often,
    };

    /// <summary>Is stopped for a while when a process has ended under it.</summary>
    internal static TaskKind<Order, int> Fragile { get; } = new("fragile")
    {
        Recovery = RecoveryPolicy.Resumable, RestartIntensity = new RestartIntensity(1, TimeSpan.FromSeconds(25)),
    };

    internal static TaskKind<Order, int> Agent { get; } = new("agent")
    {
        Recovery = RecoveryPolicy.Resumable, HasInbox = true, Retry = Retries(2), RestartIntensity = Often,
    };

    internal static TaskKind<Order, int> Newer { get; } = new("versioned") { Version = 2, Recovery = RecoveryPolicy.Resumable, RestartIntensity = Often };

    /// <summary>The kind as a host knows it that was not brought up to date.</summary>
    internal static TaskKind<Order, int> Older { get; } = new("versioned") { Recovery = RecoveryPolicy.Resumable, RestartIntensity = Often };

    internal static IReadOnlyList<TaskKind<Order, int>> All { get; } = [Once, OnceRetried, Again, Steps, Narrow, Dated, Fragile, Agent, Newer];

    private static RestartIntensity Often => new(100, TimeSpan.FromMinutes(1));

    private static RetryPolicy Retries(int count) => new()
    {
        MaxRetryAttempts = count, Delay = TimeSpan.FromSeconds(1), BackoffType = DelayBackoffType.Linear, UseJitter = true,
    };
}
