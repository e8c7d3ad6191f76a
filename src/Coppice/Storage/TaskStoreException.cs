namespace Coppice;

/// <summary>The store could not do what it was asked. The driver's own exception, if there is one, is inside.</summary>
public class TaskStoreException : CoppiceException
{
    /// <summary>Creates the fault.</summary>
    /// <param name="message">What went wrong and what to do, fit to be shown.</param>
    /// <param name="isTransient">Whether it may pass by itself, so that trying again later makes sense.</param>
    /// <param name="innerException">The driver's exception.</param>
    /// <param name="code">A stable word for the fault, in snake_case.</param>
    public TaskStoreException(
        string message, bool isTransient, Exception? innerException = null, string code = "store_unavailable")
        : base(code, message, innerException) => IsTransient = isTransient;

    /// <summary>Gets whether it may pass by itself, so that trying again later makes sense.</summary>
    public bool IsTransient { get; }

    /// <summary>
    /// Gets whether nothing of the batch was stored, for certain. Otherwise the answer may only have been lost, and
    /// <see cref="ITaskStore.FindCommitAsync"/> tells.
    /// </summary>
    public bool IsKnownNotCommitted { get; init; }
}
