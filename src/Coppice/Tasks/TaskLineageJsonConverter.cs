using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Coppice;

/// <summary>Writes and reads a lineage as the wire has it.</summary>
/// <remarks>It is public because source-generated contexts have to see it; plain <c>JsonSerializer</c> calls find it by themselves.</remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class TaskLineageJsonConverter : JsonConverter<TaskLineage>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <inheritdoc/>
    public override TaskLineage Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return TaskLineage.None;
        }

        var lineage = TaskLineage.None;
        WireObject.ExpectStart(ref reader, "parent_context");
        while (WireObject.NextProperty(ref reader, out var name))
        {
            switch (name)
            {
                case "task_id": lineage = lineage with { TaskId = WireObject.ReadText(ref reader, name) }; break;
                case "run_id": lineage = lineage with { RunId = WireObject.ReadText(ref reader, name) }; break;
                case "call_id": lineage = lineage with { CallId = WireObject.ReadText(ref reader, name) }; break;
                case "agent_id": lineage = lineage with { AgentId = WireObject.ReadText(ref reader, name) }; break;
                default: reader.Skip(); break;
            }
        }

        return lineage;
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TaskLineage? value, JsonSerializerOptions options)
    {
        if (value is null)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        writer.WriteOptional("task_id", value.TaskId);
        writer.WriteOptional("run_id", value.RunId);
        writer.WriteOptional("call_id", value.CallId);
        writer.WriteOptional("agent_id", value.AgentId);
        writer.WriteEndObject();
    }
}
