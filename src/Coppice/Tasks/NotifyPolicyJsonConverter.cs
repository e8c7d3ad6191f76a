using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Writes and reads a policy as its wire name.</summary>
/// <remarks>It is public because source-generated contexts have to see it; plain <c>JsonSerializer</c> calls find it by themselves.</remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class NotifyPolicyJsonConverter : JsonConverter<NotifyPolicy>
{
    internal const string Expected = "one of done_only, each_event, silent";

    /// <inheritdoc/>
    public override NotifyPolicy Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(reader.TokenType == JsonTokenType.String ? WireObject.ReadText(ref reader, "notify") : null);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, NotifyPolicy value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.ToWireName());
    }

    private static NotifyPolicy Parse(string? name) =>
        NotifyPolicyExtensions.TryParseWireName(name, out var policy) ? policy : throw new JsonException($"A notify policy is {Expected}.");
}
