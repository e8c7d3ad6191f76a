namespace Coppice;

/// <summary>A task was refused, and nothing was stored or started.</summary>
public class SpawnException : CoppiceException
{
    /// <summary>Creates the refusal.</summary>
    /// <param name="error">Why.</param>
    /// <param name="message">What to do about it, fit to be shown.</param>
    public SpawnException(SpawnError error, string message)
        : base(CodeOf(error), message) => Error = error;

    /// <summary>Gets why the task was refused.</summary>
    public SpawnError Error { get; }

    private static string CodeOf(SpawnError error) => error switch
    {
        SpawnError.ReservedName => "reserved_name",
        SpawnError.DuplicateName => "duplicate_name",
        SpawnError.InvalidName => "invalid_name",
        SpawnError.ParentCancelled => "parent_cancelled",
        SpawnError.TooDeep => "too_deep",
        SpawnError.ShuttingDown => "shutting_down",
        SpawnError.ContinuesUnknown => "continues_unknown",
        SpawnError.AgentBusy => "agent_busy",
        SpawnError.IdempotencyKeyReused => "idempotency_key_reused",
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "There is no such spawn error."),
    };
}
