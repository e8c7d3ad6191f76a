using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>The arguments of a call, held to a schema. What is read from them afterwards is there and of the right type.</summary>
internal sealed class ToolArguments
{
    private readonly Dictionary<string, JsonElement> _values = [];

    private ToolArguments()
    {
    }

    /// <exception cref="InvalidArgumentsException">The arguments are not as the schema says.</exception>
    internal static ToolArguments Read(AIFunctionArguments arguments, JsonElement schema)
    {
        if (SchemaCheck.FaultOfNames(schema, arguments.Keys, "") is { } unknown)
        {
            throw new InvalidArgumentsException(unknown);
        }

        var read = new ToolArguments();
        foreach (var property in schema.GetProperty("properties").EnumerateObject())
        {
            if (ReadOne(arguments, property.Name, property.Value, SchemaCheck.IsRequired(schema, property.Name)) is { } value)
            {
                read._values.Add(property.Name, value);
            }
        }

        return read;
    }

    /// <summary>Reads one argument; null is one that was left out.</summary>
    /// <exception cref="InvalidArgumentsException">It is not as its schema says, or missing.</exception>
    internal static JsonElement? ReadOne(AIFunctionArguments arguments, string name, JsonElement schema, bool isRequired = false)
    {
        if (!arguments.TryGetValue(name, out var given))
        {
            return isRequired ? throw new InvalidArgumentsException(SchemaCheck.Missing(name)) : null;
        }

        var value = JsonInput.ToElement(given, name);
        if (value.ValueKind == JsonValueKind.Null && !isRequired)
        {
            return null;
        }

        return FaultOf(schema, value, name) is { } fault ? throw new InvalidArgumentsException(fault) : value;
    }

    internal bool Has(string name) => _values.ContainsKey(name);

    internal JsonElement Object(string name) => _values[name];

    internal string? Text(string name) => _values.TryGetValue(name, out var value) ? value.GetString() : null;

    internal int? Whole(string name) => _values.TryGetValue(name, out var value) ? (int)value.GetDecimal() : null;

    internal double? Number(string name) => _values.TryGetValue(name, out var value) ? value.GetDouble() : null;

    internal IReadOnlyList<string>? Texts(string name) =>
        _values.TryGetValue(name, out var value) ? [.. value.EnumerateArray().Select(item => item.GetString()!)] : null;

    private static string? FaultOf(JsonElement schema, JsonElement value, string name)
    {
        try
        {
            return SchemaCheck.Fault(schema, value, name);
        }
        catch (ObjectDisposedException)
        {
            return $"'{name}' is no JSON any more: its document was disposed.";
        }
        catch (InvalidOperationException)
        {
            return $"'{name}' holds text that is not valid Unicode.";
        }
    }
}
