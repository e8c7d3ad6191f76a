using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>What a function returned, as the outcome of a task.</summary>
internal static class FunctionResult
{
    private static readonly JsonElement Null = JsonElement.Parse("null");

    internal static TaskOutcome ToOutcome(object? result, JsonSerializerOptions options)
    {
        try
        {
            return result as TaskOutcome ?? TaskOutcome.Success(CompactJson.Of(ToElement(result, options)));
        }
        catch (Exception e)
        {
            // The type is the application's, and its getters and converters may throw anything.
            return TaskOutcome.Failure($"The result cannot be stored: {result!.GetType().Name} cannot be written as JSON. {e.Message}");
        }
    }

    private static JsonElement ToElement(object? result, JsonSerializerOptions options) => result switch
    {
        null or JsonElement { ValueKind: JsonValueKind.Undefined } => Null,
        JsonElement element => element,
        JsonDocument document => document.RootElement,
        JsonNode node => JsonElement.Parse(node.ToJsonString()),
        AIContent content => ToElement(content, options),
        IEnumerable<AIContent> contents => ToElement(contents, options),
        _ => JsonSerializer.SerializeToElement(result, options.GetTypeInfo(result.GetType())),
    };

    private static JsonElement ToElement(IEnumerable<AIContent> contents, JsonSerializerOptions options)
    {
        var array = new JsonArray();
        foreach (var content in contents)
        {
            array.Add((JsonNode?)JsonObject.Create(ToElement(content, options)));
        }

        return JsonElement.Parse(array.ToJsonString());
    }

    /// <summary>Written as the base type, which adds the mark that says which kind of content it is.</summary>
    private static JsonElement ToElement(AIContent content, JsonSerializerOptions options)
    {
        var known = options.TryGetTypeInfo(typeof(AIContent), out var own) ? own : AIJsonUtilities.DefaultOptions.GetTypeInfo(typeof(AIContent));
        return JsonSerializer.SerializeToElement(content, known);
    }
}
