using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>
/// A call's arguments without those that were for the wrapper, and, for a task that outlives the call, apart from the caller's: what is JSON or a
/// collection of plain values is copied whole. Other objects stay what they are.
/// </summary>
internal static class ArgumentCopy
{
    private const int MaxDepth = 64;

    internal static AIFunctionArguments Of(AIFunctionArguments arguments, bool isApart, bool withoutChoice, bool withoutName)
    {
        var copy = new AIFunctionArguments(Comparer(arguments)) { Services = arguments.Services, Context = arguments.Context };
        if (isApart && arguments.Context is { } context)
        {
            copy.Context = new Dictionary<object, object?>(context);
        }

        foreach (var (name, value) in arguments)
        {
            copy.Add(name, isApart ? Apart(value, name, 0) : value);
        }

        if (withoutChoice)
        {
            copy.Remove(BackgroundSchema.RunInBackground);
        }

        if (withoutName)
        {
            copy.Remove(BackgroundSchema.TaskName);
        }

        return copy;
    }

    private static object? Apart(object? value, string path, int depth)
    {
        if (depth > MaxDepth)
        {
            throw new InvalidArgumentsException($"'{path}' nests deeper than {MaxDepth} levels.");
        }

        return value switch
        {
            null or string => value,
            JsonElement { ValueKind: not JsonValueKind.Undefined } element => element.Clone(),
            JsonDocument document => document.RootElement.Clone(),
            JsonNode node => node.DeepClone(),
            Dictionary<string, object?> properties => properties.ToDictionary(
                each => each.Key, each => Apart(each.Value, path, depth + 1), properties.Comparer),
            List<object?> items => items.ConvertAll(item => Apart(item, path, depth + 1)),
            object?[] items when items.GetType() == typeof(object[]) => Array.ConvertAll(items, item => Apart(item, path, depth + 1)),
            _ => value,
        };
    }

    /// <summary>Arguments do not tell how they compare names, so one is asked for in the other case.</summary>
    private static StringComparer Comparer(AIFunctionArguments arguments)
    {
        foreach (var name in arguments.Keys)
        {
            var upper = name.ToUpperInvariant();
            var other = upper == name ? name.ToLowerInvariant() : upper;
            if (other != name)
            {
                return arguments.ContainsKey(other) && !arguments.Keys.Contains(other, StringComparer.Ordinal)
                    ? StringComparer.OrdinalIgnoreCase
                    : StringComparer.Ordinal;
            }
        }

        return StringComparer.Ordinal;
    }
}
