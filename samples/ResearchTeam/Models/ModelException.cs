namespace Coppice.Samples.ResearchTeam;

/// <summary>A model's endpoint refused, failed, or answered something that is no answer.</summary>
internal sealed class ModelException(string message, int? status, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Gets the HTTP status; <see langword="null"/> when none came.</summary>
    internal int? Status { get; } = status;
}
