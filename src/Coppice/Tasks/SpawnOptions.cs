namespace Coppice;

/// <summary>What a task is called and where it comes from. Everything is optional.</summary>
public sealed record SpawnOptions
{
    /// <summary>Gets the type; <c>task</c> or, for agents, <c>sub_agent</c> when it is missing.</summary>
    public string? Type { get; init; }

    /// <summary>
    /// Gets the name, unique (ordinal) among the live tasks of the thread: 1 to 128 characters, no control characters, no lone
    /// surrogates, no outer white space. <c>parent</c>, <c>self</c>, <c>all</c>, <c>broadcast</c> and anything of the form of an id
    /// are reserved.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Gets the description, at most 4 KB.</summary>
    public string? Description { get; init; }

    /// <summary>
    /// Gets the lineage. What is set here wins; what is left out is filled from the task that is executing and, for run, call and
    /// agent, from the <see cref="ToolCallScope"/>.
    /// </summary>
    public TaskLineage Lineage { get; init; } = TaskLineage.None;

    /// <summary>Gets what the loop of an agent tells its model of the task: how it ended, by default. It changes nothing about mail.</summary>
    public NotifyPolicy Notify { get; init; }

    /// <summary>
    /// Gets the ended agent task of the same owner thread whose own thread the new agent takes on, with its conversation and with the mail
    /// that was not acknowledged. Only for agents. Of several that would take on one thread at a time one succeeds.
    /// </summary>
    public string? Continues { get; init; }

    /// <summary>Gets whether the body blocks its thread: it then gets one of its own, until its first await. Of a registered kind the kind says so.</summary>
    public bool Blocking { get; init; }

    /// <summary>Gets what becomes of the task when an attempt ends with its process; what its kind says when missing. Only for registered kinds.</summary>
    public RecoveryPolicy? Recovery { get; init; }

    /// <summary>Gets how long after the spawn the task may begin, from zero to 10 years; at once when missing. Only for registered kinds.</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>Gets when the task may begin; at once when missing or past. Not together with <see cref="Delay"/>. Only for registered kinds.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>
    /// Gets how long after the spawn the task fails if it has not ended, from 1 millisecond to 10 years; what its kind says when missing. Only for
    /// registered kinds.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Gets the priority: a higher one goes first among tasks that may begin; 0 by default. Only for registered kinds.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// Gets the key under which the thread finds the task again, at most 256 bytes: a spawn with a key that a task of the thread has, live or ended,
    /// is answered with that task until it is pruned. Only for registered kinds.
    /// </summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The longest a task may be put off.</summary>
    internal static readonly TimeSpan LongestWait = TimeSpan.FromDays(3_652);
}
