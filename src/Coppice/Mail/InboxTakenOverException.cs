namespace Coppice;

/// <summary>The inbox was opened elsewhere, which took it over; this reader gets no more mail and can acknowledge none.</summary>
public class InboxTakenOverException : CoppiceException
{
    /// <summary>Creates the fault.</summary>
    /// <param name="threadId">The thread whose inbox it is.</param>
    public InboxTakenOverException(string threadId)
        : base("inbox_taken_over", $"The inbox of thread '{threadId}' was opened elsewhere; open it again to take it back.") =>
        ThreadId = threadId;

    /// <summary>Gets the thread whose inbox it is.</summary>
    public string ThreadId { get; }
}
