using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Writes and reads mail of one static type; <c>kind</c> is always written and may stand anywhere.</summary>
internal sealed class MailEventJsonConverter<T> : JsonConverter<T>
    where T : MailEvent
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var mail = MailEventJson.Read(ref reader);
        return mail as T
            ?? throw new JsonException($"The event is a {mail.GetType().Name}, which is not a {typeof(T).Name}.");
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => MailEventJson.Write(writer, value);
}
