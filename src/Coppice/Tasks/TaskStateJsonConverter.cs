using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

internal sealed class TaskStateJsonConverter : JsonConverter<TaskState>
{
    public override TaskState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null);

    public override void Write(Utf8JsonWriter writer, TaskState value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToWireName());

    public override TaskState ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(reader.GetString());

    public override void WriteAsPropertyName(Utf8JsonWriter writer, TaskState value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToWireName());

    private static TaskState Parse(string? name) =>
        TaskStateExtensions.TryParseWireName(name, out var state)
            ? state
            : throw new JsonException(
                "A task's status is one of pending, running, input_required, completed, failed, cancelled.");
}
