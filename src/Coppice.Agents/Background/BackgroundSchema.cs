using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>The arguments that say how a function runs, beside its own.</summary>
internal static class BackgroundSchema
{
    internal const string RunInBackground = "run_in_background";
    internal const string TaskName = "task_name";

    internal static readonly JsonElement RunInBackgroundProperty = JsonElement.Parse("""{"type":"boolean"}""");

    internal static readonly JsonElement TaskNameProperty = JsonElement.Parse("""{"type":"string","minLength":1,"maxLength":128}""");

    internal static readonly JsonElement Receipt = JsonElement.Parse(
        """
        {"type":"object","properties":{"task_id":{"type":"string"},"status":{"enum":["running","failed"]},
          "error":{"type":"string"},"message":{"type":"string"}},"required":["status"]}
        """);

    /// <exception cref="ArgumentException">The function has a parameter of the name of an argument that would be added.</exception>
    internal static JsonElement Extend(AIFunction function, BackgroundFunctionOptions options)
    {
        var added = new List<KeyValuePair<string, JsonObject>>();
        if (options.Mode == BackgroundMode.ModelDecides)
        {
            added.Add(new(RunInBackground, new JsonObject
            {
                ["type"] = "boolean",
                ["default"] = options.RunInBackgroundByDefault,
                ["description"] = "true: return at once with a task_id and work on in the background. false: wait for the result.",
            }));
        }

        if (options.AllowTaskName)
        {
            added.Add(new(TaskName, new JsonObject
            {
                ["type"] = "string",
                ["description"] = "A name for the background task, to speak of it later. No two tasks that run at the same time share one.",
            }));
        }

        return added.Count == 0 ? function.JsonSchema : Extend(function, added);
    }

    private static JsonElement Extend(AIFunction function, List<KeyValuePair<string, JsonObject>> added)
    {
        var schema = function.JsonSchema.ValueKind == JsonValueKind.Object ? JsonObject.Create(function.JsonSchema.Clone())! : [];
        schema.TryAdd("type", "object");
        if (schema["properties"] is not JsonObject properties)
        {
            schema["properties"] = properties = [];
        }

        foreach (var (name, property) in added)
        {
            if (properties.Any(own => own.Key.Equals(name, StringComparison.OrdinalIgnoreCase)))
            {
                throw new ArgumentException(
                    $"The function '{function.Name}' has a parameter '{name}' of its own, so the argument of that name cannot be added. "
                    + "Rename the parameter, or choose options that add no argument.", nameof(function));
            }

            properties.Add(name, property);
        }

        return JsonElement.Parse(schema.ToJsonString());
    }
}
