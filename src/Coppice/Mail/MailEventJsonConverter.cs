using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Writes and reads mail of one static type; <c>kind</c> is always written and may stand anywhere.</summary>
/// <remarks>It is public because source-generated contexts have to see it; plain <c>JsonSerializer</c> calls find it by themselves.</remarks>
/// <typeparam name="T">The static type.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class MailEventJsonConverter<T> : JsonConverter<T>
    where T : MailEvent
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var mail = MailEventJson.Read(ref reader);
        return mail as T
            ?? throw new JsonException($"The event is a {mail.GetType().Name}, which is not a {typeof(T).Name}.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => MailEventJson.Write(writer, value);
}
