using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Messages of a user that arrive while a run works on the thread. They are a message to the thread, and wake it.</summary>
/// <param name="Messages">A JSON array of objects, each with a <c>role</c> and a <c>content</c>; kept byte for byte.</param>
[JsonConverter(typeof(MailEventJsonConverter<LiveInput>))]
public sealed record LiveInput(JsonElement Messages) : MailEvent
{
    /// <summary>Whether both say the same; messages are compared as JSON values.</summary>
    /// <param name="other">The other event.</param>
    public bool Equals(LiveInput? other) => other is not null && JsonValue.Same(Messages, other.Messages);

    /// <summary>A hash of what kind of mail it is: equal messages may be written differently.</summary>
    public override int GetHashCode() => nameof(LiveInput).GetHashCode(StringComparison.Ordinal);
}
