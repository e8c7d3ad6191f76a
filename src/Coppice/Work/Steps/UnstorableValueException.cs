namespace Coppice;

/// <summary>What a step gave, or a checkpoint, cannot be stored. To try again would only pay for it again.</summary>
internal sealed class UnstorableValueException(string message, string parameter, Exception? inner = null)
    : ArgumentException(message, parameter, inner);
