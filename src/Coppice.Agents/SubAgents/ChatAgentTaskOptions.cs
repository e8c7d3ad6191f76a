namespace Coppice;

/// <summary>How the tasks of an agent are run where it is registered. The defaults are those of a <see cref="TaskKind"/>.</summary>
public sealed record ChatAgentTaskOptions
{
    /// <summary>
    /// Gets when an attempt that failed, because the model could not be reached, say, is followed by another, which goes on from the conversation so far;
    /// never by default. What cannot get better is not tried again: an answer that never follows its schema, calls of functions that nobody has.
    /// </summary>
    public RetryPolicy Retry { get; init; } = RetryPolicy.None;

    /// <summary>Gets how long an attempt may take before it has failed; for ever by default. From 1 millisecond to 49 days.</summary>
    public TimeSpan? AttemptTimeout { get; init; }

    /// <summary>Gets how long after its spawn a task fails if it has not ended; never by default. From 1 millisecond to 10 years.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Gets how many of the agent's tasks run at once, on all hosts together; any number by default. From 1.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>Gets how many of the agent's tasks run at once for one owner thread, on all hosts together; any number by default. From 1.</summary>
    public int? MaxConcurrencyPerThread { get; init; }

    /// <summary>Gets how many attempts at one task may end with their process before it fails. From 1; 3 by default.</summary>
    public int MaxCrashes { get; init; } = 3;

    internal RetryPolicy EffectiveRetry => Retry with { ShouldHandle = IsWorthIt };

    internal bool TriesAgain(int failures, Exception failure) => failures <= Retry.MaxRetryAttempts && IsWorthIt(failure);

    private bool IsWorthIt(Exception failure) => failure is not Agents.ChatAgentFailedException && (Retry.ShouldHandle?.Invoke(failure) ?? true);
}
