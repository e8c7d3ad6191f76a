namespace Coppice;

/// <summary>Why a body was signalled. Of several reasons the largest counts: a cancel request outweighs all else.</summary>
internal enum StopReason
{
    None,

    /// <summary>The manager shuts down.</summary>
    Shutdown,

    /// <summary>The host was given up, or the attempt is another's.</summary>
    Fenced,

    /// <summary>The attempt took too long.</summary>
    Timeout,

    /// <summary>The task's deadline has come.</summary>
    Deadline,

    /// <summary>The cancellation was requested.</summary>
    Cancel,
}
