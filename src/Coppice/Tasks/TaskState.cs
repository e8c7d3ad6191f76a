using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Where a task stands. The moves between states are those of <see cref="TaskStateExtensions.CanMoveTo"/>.</summary>
[JsonConverter(typeof(TaskStateJsonConverter))]
public enum TaskState
{
    /// <summary>Stored, and not yet started.</summary>
    Pending,

    /// <summary>Its body runs.</summary>
    Running,

    /// <summary>Its body waits for an answer from outside.</summary>
    InputRequired,

    /// <summary>Ended with success. Terminal.</summary>
    Completed,

    /// <summary>Ended with an error. Terminal.</summary>
    Failed,

    /// <summary>Ended because it was cancelled. Terminal.</summary>
    Cancelled,
}
