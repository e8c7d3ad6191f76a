using System.Text.Json;
using System.Text.Json.Nodes;

namespace Coppice.Agents;

/// <summary>The schemas of the inputs of kinds, as part of a tool's schema and as what a model is held to.</summary>
internal static class InputSchema
{
    /// <summary>The schema of a kind's input as it stands at a place in a larger one: pointers into itself begin there.</summary>
    internal static JsonNode At(string pointer, JsonElement schema)
    {
        var node = JsonNode.Parse(schema.GetRawText()) ?? new JsonObject();
        Move(node, pointer);
        return node;
    }

    /// <summary>What is plainly wrong with an input, in words that a model can correct it from; null where its contract has to say.</summary>
    internal static string? Fault(JsonElement schema, JsonElement input)
    {
        if (schema.ValueKind != JsonValueKind.Object || !IsObject(schema))
        {
            return null;
        }

        if (input.ValueKind != JsonValueKind.Object)
        {
            return "'input' must be an object.";
        }

        var missing = !schema.TryGetProperty("required", out var required)
            ? null
            : required.EnumerateArray().Select(static name => name.GetString()!).FirstOrDefault(name => !input.TryGetProperty(name, out _));
        if (missing is not null)
        {
            return SchemaCheck.Missing($"input.{missing}");
        }

        return schema.TryGetProperty("properties", out _)
            ? SchemaCheck.FaultOfNames(schema, input.EnumerateObject().Select(static property => property.Name), "input")
            : null;
    }

    private static bool IsObject(JsonElement schema) => schema.TryGetProperty("type", out var type)
        && (type.ValueKind == JsonValueKind.String ? type.ValueEquals("object")
            : type.EnumerateArray().All(static each => each.ValueEquals("object") || each.ValueEquals("null")));

    private static void Move(JsonNode node, string pointer)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array.OfType<JsonNode>())
            {
                Move(item, pointer);
            }
        }
        else if (node is JsonObject properties)
        {
            if (properties["$ref"] is JsonValue reference && reference.TryGetValue<string>(out var text) && text.StartsWith('#'))
            {
                properties["$ref"] = $"#{pointer}{text[1..]}";
            }

            foreach (var (_, value) in properties.ToList())
            {
                if (value is not null)
                {
                    Move(value, pointer);
                }
            }
        }
    }
}
