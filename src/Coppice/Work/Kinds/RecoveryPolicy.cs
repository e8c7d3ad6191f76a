namespace Coppice;

/// <summary>What becomes of a task whose attempt ended with its process.</summary>
public enum RecoveryPolicy
{
    /// <summary>It is an orphan: it fails (law 9). What had not begun yet still runs.</summary>
    Never,

    /// <summary>It runs again from the start. Whatever it does has to bear being done twice.</summary>
    Idempotent,

    /// <summary>It runs again, and its steps that were stored give their results instead of running again.</summary>
    Resumable,
}
