namespace Coppice.Agents;

/// <summary>A call whose arguments are wrong.</summary>
/// <param name="message">What is wrong, where, and what is allowed: the model that called reads it.</param>
/// <param name="innerException">The cause, if there is one.</param>
internal sealed class InvalidArgumentsException(string message, Exception? innerException = null) : Exception(message, innerException);
