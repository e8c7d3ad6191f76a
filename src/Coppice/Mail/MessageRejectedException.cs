namespace Coppice;

/// <summary>The other end of an <see cref="IMessageTransport"/> will never take this message. It fails at once, without another attempt.</summary>
public class MessageRejectedException : CoppiceException
{
    /// <summary>Creates the fault.</summary>
    /// <param name="reason">Why, in words that may be shown; the sender's failed message has it.</param>
    /// <param name="innerException">What led to it.</param>
    public MessageRejectedException(string reason, Exception? innerException = null)
        : base("message_rejected", reason, innerException)
    {
    }
}
