namespace Coppice;

/// <summary>Why a task was not spawned.</summary>
public enum SpawnError
{
    /// <summary>The name means something else here, such as <c>parent</c> or <c>bg_1</c>.</summary>
    ReservedName,

    /// <summary>A live task of the thread has this name.</summary>
    DuplicateName,

    /// <summary>The name is empty, too long, or has characters that a name may not have.</summary>
    InvalidName,

    /// <summary>The parent's cancellation was requested.</summary>
    ParentCancelled,

    /// <summary>The tree would be deeper than its limit.</summary>
    TooDeep,

    /// <summary>The manager is shutting down.</summary>
    ShuttingDown,

    /// <summary>What it was to continue is no agent task of the owner thread, or is not known any more.</summary>
    ContinuesUnknown,

    /// <summary>The thread that it was to take on has a live agent.</summary>
    AgentBusy,

    /// <summary>A task of another kind has the idempotency key.</summary>
    IdempotencyKeyReused,
}
