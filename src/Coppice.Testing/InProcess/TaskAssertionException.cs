namespace Coppice.Testing;

/// <summary>What a test asserted about tasks does not hold. The message shows what is there instead, each task on a line of its own.</summary>
public sealed class TaskAssertionException : Exception, IAssertionException
{
    /// <summary>Creates the failure of an assertion.</summary>
    /// <param name="message">What was asserted, and what is there.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public TaskAssertionException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}

/// <summary>xunit tells a failed assertion from an error by an interface of this name, in whichever assembly.</summary>
internal interface IAssertionException;
