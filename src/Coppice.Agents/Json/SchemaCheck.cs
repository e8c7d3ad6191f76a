using System.Globalization;
using System.Text.Json;

namespace Coppice.Agents;

/// <summary>
/// Holds a value to a JSON schema, as far as the schemas of this library go: what a model is told and what is checked are one text. A
/// null counts as left out where the property is optional, because some models write out all properties.
/// </summary>
internal static class SchemaCheck
{
    private const int ShownLength = 64;

    /// <summary>What is wrong with a value, or null.</summary>
    /// <exception cref="InvalidOperationException">Some text in the value is not valid Unicode.</exception>
    internal static string? Fault(JsonElement schema, JsonElement value, string path)
    {
        if (schema.TryGetProperty("oneOf", out var branches))
        {
            return FaultOfBranch(branches, value, path);
        }

        if (schema.TryGetProperty("const", out _))
        {
            // It picked the branch.
            return null;
        }

        if (!schema.TryGetProperty("type", out var type))
        {
            return null;
        }

        return type.GetString() switch
        {
            "object" => value.ValueKind == JsonValueKind.Object ? FaultOfObject(schema, value, path) : WrongType(path, "an object", value),
            "array" => value.ValueKind == JsonValueKind.Array ? FaultOfArray(schema, value, path) : WrongType(path, "an array", value),
            "string" => value.ValueKind == JsonValueKind.String ? FaultOfText(schema, value, path) : WrongType(path, "a string", value),
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : WrongType(path, "true or false", value),
            var number => FaultOfNumber(schema, value, path, number == "integer"),
        };
    }

    /// <summary>What is wrong with the names of the properties that an object has, or null.</summary>
    internal static string? FaultOfNames(JsonElement schema, IEnumerable<string> names, string path)
    {
        var properties = schema.GetProperty("properties");
        var unknown = names.FirstOrDefault(name => !properties.TryGetProperty(name, out _));
        return unknown is null
            ? null
            : $"{Place(path)} no property '{Shown(unknown)}'; its properties are {string.Join(", ", properties.EnumerateObject().Select(each => each.Name))}.";
    }

    internal static bool IsRequired(JsonElement schema, string name) =>
        schema.TryGetProperty("required", out var required) && required.EnumerateArray().Any(each => each.ValueEquals(name));

    internal static string Missing(string path) => $"'{path}' is missing.";

    /// <summary>Text from a caller, short enough to be shown back.</summary>
    internal static string Shown(string text) => text.Length <= ShownLength ? text : SafeText.Cut(text, ShownLength);

    private static string? FaultOfObject(JsonElement schema, JsonElement value, string path)
    {
        if (FaultOfNames(schema, value.EnumerateObject().Select(property => property.Name), path) is { } unknown)
        {
            return unknown;
        }

        foreach (var property in schema.GetProperty("properties").EnumerateObject())
        {
            var inner = $"{path}.{property.Name}";
            var isRequired = IsRequired(schema, property.Name);
            if (!value.TryGetProperty(property.Name, out var item))
            {
                if (isRequired)
                {
                    return Missing(inner);
                }
            }
            else if ((isRequired || item.ValueKind != JsonValueKind.Null) && Fault(property.Value, item, inner) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    /// <summary>The branches tell themselves apart by a property that has one fixed word in each.</summary>
    private static string? FaultOfBranch(JsonElement branches, JsonElement value, string path)
    {
        var marker = branches[0].GetProperty("properties").EnumerateObject().First(each => each.Value.TryGetProperty("const", out _)).Name;
        if (value.ValueKind != JsonValueKind.Object)
        {
            return WrongType(path, $"an object with '{marker}'", value);
        }

        var allowed = string.Join(", ", branches.EnumerateArray().Select(branch => WordOf(branch, marker)));
        if (!value.TryGetProperty(marker, out var word))
        {
            return $"'{path}.{marker}' is missing; it must be one of {allowed}.";
        }

        if (word.ValueKind != JsonValueKind.String)
        {
            return WrongType($"{path}.{marker}", $"one of {allowed}", word);
        }

        foreach (var branch in branches.EnumerateArray())
        {
            if (word.ValueEquals(WordOf(branch, marker)))
            {
                return Fault(branch, value, path);
            }
        }

        return $"'{path}.{marker}' is '{Shown(word.GetString()!)}'; it must be one of {allowed}.";
    }

    private static string? FaultOfArray(JsonElement schema, JsonElement value, string path)
    {
        var length = value.GetArrayLength();
        if (length < Limit(schema, "minItems", 0) || length > Limit(schema, "maxItems", int.MaxValue))
        {
            return $"'{path}' has {length} items; it must have {Range(schema, "minItems", "maxItems")}.";
        }

        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (Fault(schema.GetProperty("items"), item, $"{path}[{index++}]") is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static string? FaultOfText(JsonElement schema, JsonElement value, string path)
    {
        var text = value.GetString()!;
        if (schema.TryGetProperty("enum", out var words) && !words.EnumerateArray().Any(word => word.ValueEquals(text)))
        {
            return $"'{path}' is '{Shown(text)}'; it must be one of {string.Join(", ", words.EnumerateArray().Select(word => word.GetString()))}.";
        }

        return text.Length < Limit(schema, "minLength", 0) || text.Length > Limit(schema, "maxLength", int.MaxValue)
            ? $"'{path}' has {text.Length} characters; it must have {Range(schema, "minLength", "maxLength")}."
            : null;
    }

    private static string? FaultOfNumber(JsonElement schema, JsonElement value, string path, bool isWhole)
    {
        var range = Range(schema, "minimum", "maximum");
        var wanted = $"{(isWhole ? "a whole number" : "a number")} {range}";
        if (value.ValueKind != JsonValueKind.Number)
        {
            return WrongType(path, wanted, value);
        }

        return !value.TryGetDecimal(out var number)
            || (isWhole && decimal.Truncate(number) != number)
            || number < Limit(schema, "minimum", decimal.MinValue)
            || number > Limit(schema, "maximum", decimal.MaxValue)
            ? $"'{path}' is {Shown(value.GetRawText())}; it must be {wanted}."
            : null;
    }

    private static string WordOf(JsonElement branch, string marker) =>
        branch.GetProperty("properties").GetProperty(marker).GetProperty("const").GetString()!;

    private static decimal Limit(JsonElement schema, string keyword, decimal otherwise) =>
        schema.TryGetProperty(keyword, out var limit) ? limit.GetDecimal() : otherwise;

    private static string Range(JsonElement schema, string minimum, string maximum)
    {
        var from = schema.TryGetProperty(minimum, out var least) ? least.GetDecimal() : 0;
        return schema.TryGetProperty(maximum, out var most)
            ? string.Create(CultureInfo.InvariantCulture, $"from {from} to {most.GetDecimal()}")
            : string.Create(CultureInfo.InvariantCulture, $"at least {from}");
    }

    private static string Place(string path) => path.Length == 0 ? "There is" : $"'{path}' has";

    private static string WrongType(string path, string wanted, JsonElement value) => $"'{path}' must be {wanted}; it is {value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    }}.";
}
