using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Writes and reads a task's state as its wire name.</summary>
/// <remarks>It is public because source-generated contexts have to see it; plain <c>JsonSerializer</c> calls find it by themselves.</remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class TaskStateJsonConverter : JsonConverter<TaskState>
{
    /// <inheritdoc/>
    public override TaskState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(reader.TokenType == JsonTokenType.String ? reader.GetString() : null);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TaskState value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToWireName());

    /// <inheritdoc/>
    public override TaskState ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(reader.GetString());

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, TaskState value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToWireName());

    private static TaskState Parse(string? name) =>
        TaskStateExtensions.TryParseWireName(name, out var state)
            ? state
            : throw new JsonException(
                "A task's status is one of pending, running, input_required, completed, failed, cancelled.");
}
