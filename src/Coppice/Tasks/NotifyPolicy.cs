using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>
/// What the loop of an agent tells its model of a task. It is kept with the task for that loop to read; which mail is posted, and whom it
/// wakes, is the same for all of them.
/// </summary>
[JsonConverter(typeof(NotifyPolicyJsonConverter))]
public enum NotifyPolicy
{
    /// <summary>Only how the task ended.</summary>
    DoneOnly,

    /// <summary>Each event that the task emits, and how it ended.</summary>
    EachEvent,

    /// <summary>Nothing; who wants to know looks at the task.</summary>
    Silent,
}
