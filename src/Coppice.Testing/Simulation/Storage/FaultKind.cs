namespace Coppice.Testing;

/// <summary>What can go wrong between a host and the store.</summary>
internal enum FaultKind
{
    None,

    /// <summary>The batch was refused, and the caller knows that nothing is stored.</summary>
    Refused,

    /// <summary>The batch never arrived, and the caller does not know.</summary>
    NotStored,

    /// <summary>The batch landed and its answer was lost; the host's own batch was marked.</summary>
    AnswerLost,

    /// <summary>The batch landed and its answer was lost; only a look-up finds it.</summary>
    AnswerLostUnseen,

    /// <summary>The caller was told of a failure before the batch landed, or failed to.</summary>
    AnsweredTooEarly,

    /// <summary>The host dies before the batch lands.</summary>
    CrashBefore,

    /// <summary>The host dies after the batch has landed, before it is told.</summary>
    CrashAfter,

    /// <summary>A look-up, a read or a heartbeat failed.</summary>
    ReadFailed,

    /// <summary>The store went away for a while.</summary>
    Outage,
}

/// <summary>The kinds in words.</summary>
internal static class FaultText
{
    internal static string Of(FaultKind kind) => kind switch
    {
        FaultKind.Refused => "refused",
        FaultKind.NotStored => "not stored, answer lost",
        FaultKind.AnswerLost => "stored, answer lost",
        FaultKind.AnswerLostUnseen => "stored unseen, answer lost",
        FaultKind.AnsweredTooEarly => "failed before its end was known",
        FaultKind.CrashBefore => "crash before it is stored",
        FaultKind.CrashAfter => "crash after it was stored",
        FaultKind.ReadFailed => "read failed",
        FaultKind.Outage => "the store is away",
        _ => "none",
    };
}
