namespace Coppice;

/// <summary>Why a task of a registered kind is pending, as the host sees it that was asked.</summary>
public enum PendingReason
{
    /// <summary>Its time has not come: <see cref="TaskWork.DueAt"/>.</summary>
    NotDue,

    /// <summary>The host does not know its kind; it waits for one that does.</summary>
    UnknownKind,

    /// <summary>The host knows an older version of its kind only; it waits for one that knows a newer.</summary>
    NewerVersion,

    /// <summary>It waits for its turn: for room on a host, or within a limit of its kind.</summary>
    Queued,
}
