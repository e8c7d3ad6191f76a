namespace Coppice;

/// <summary>A fault of Coppice itself or of what it stands on. Misuse is an <see cref="ArgumentException"/> instead.</summary>
public abstract class CoppiceException : Exception
{
    /// <summary>Creates a fault with a stable code and a message that may be shown.</summary>
    /// <param name="code">A stable word in snake_case, such as <c>store_unavailable</c>.</param>
    /// <param name="message">What went wrong and what to do, fit to be shown to a person or a model.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    protected CoppiceException(string code, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        ArgumentException.ThrowIfNullOrEmpty(code);
        Code = code;
    }

    /// <summary>Gets the stable word for this fault, in snake_case. It never changes between versions.</summary>
    public string Code { get; }
}
