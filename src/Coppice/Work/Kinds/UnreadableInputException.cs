namespace Coppice;

/// <summary>The input of a task is not what its kind takes. To try again would not help.</summary>
internal sealed class UnreadableInputException(string message, Exception inner) : Exception(message, inner);
