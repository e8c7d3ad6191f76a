using System.Text.Json;

namespace Coppice;

/// <summary>Reading and writing the wire's objects by hand, so that it needs no reflection and no options.</summary>
internal static class WireObject
{
    internal static void ExpectStart(ref Utf8JsonReader reader, string what)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException($"'{what}' has to be a JSON object.");
        }
    }

    /// <summary>Moves to the next property's value, or to the end of the object.</summary>
    internal static bool NextProperty(ref Utf8JsonReader reader, out string name)
    {
        if (!reader.Read())
        {
            throw new JsonException("The JSON object is not closed.");
        }

        if (reader.TokenType == JsonTokenType.EndObject)
        {
            name = "";
            return false;
        }

        name = GetText(ref reader, field: null);
        if (!reader.Read())
        {
            throw new JsonException($"'{name}' has no value.");
        }

        return true;
    }

    internal static string? ReadText(ref Utf8JsonReader reader, string name) => reader.TokenType switch
    {
        JsonTokenType.String => GetText(ref reader, name),
        JsonTokenType.Null => null,
        _ => throw new JsonException($"'{name}' has to be a string."),
    };

    internal static DateTimeOffset? ReadTime(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var milliseconds)
            || milliseconds < DateTimeOffset.MinValue.ToUnixTimeMilliseconds()
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
        {
            throw new JsonException($"'{name}' has to be whole milliseconds since 1970.");
        }

        return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
    }

    internal static int ReadNumber(ref Utf8JsonReader reader, string name) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var number)
            ? number
            : throw new JsonException($"'{name}' has to be a whole number of at most 32 bits.");

    internal static int ReadCount(ref Utf8JsonReader reader, string name) =>
        ReadNumber(ref reader, name) is >= 0 and var count ? count : throw new JsonException($"'{name}' has to be from 0.");

    /// <summary>Any value, JSON <c>null</c> included.</summary>
    internal static JsonElement ReadValue(ref Utf8JsonReader reader) => JsonElement.ParseValue(ref reader);

    internal static void WriteOptional(this Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    internal static void WriteOptional(this Utf8JsonWriter writer, string name, DateTimeOffset? value)
    {
        if (value is { } time)
        {
            writer.WriteNumber(name, time.ToUnixTimeMilliseconds());
        }
    }

    /// <summary>Writes a value as the text it came as: key order and number form stay.</summary>
    internal static void WriteAsText(this Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(JsonValue.ToStorableText(value), skipInputValidation: true);
    }

    private static string GetText(ref Utf8JsonReader reader, string? field)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // A lone surrogate escape such as "\ud800" passes the grammar but is no text.
            throw new JsonException(field is null ? "The name of a field is not valid Unicode." : $"'{field}' holds text that is not valid Unicode.", e);
        }
    }
}
