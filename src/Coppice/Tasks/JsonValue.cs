using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace Coppice;

/// <summary>What this library does with JSON values that come from outside: make them, compare them, keep them as text.</summary>
internal static class JsonValue
{
    internal const string ReflectionMessage =
        "Serialising a value without a JsonTypeInfo uses reflection. Use the overload that takes a JsonTypeInfo<T>.";

    /// <summary>
    /// How deep a stored value may nest. Readers of this library and of others stop at 64 by default, and a value travels inside
    /// an event inside a list.
    /// </summary>
    internal const int MaxDepth = 56;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth };

    [RequiresUnreferencedCode(ReflectionMessage)]
    [RequiresDynamicCode(ReflectionMessage)]
    internal static JsonElement From<T>(T value) => JsonSerializer.SerializeToElement(value, JsonSerializerOptions.Web);

    internal static bool Same(JsonElement? left, JsonElement? right) =>
        left.HasValue == right.HasValue && (!left.HasValue || Same(left.Value, right!.Value));

    internal static bool Same(JsonElement left, JsonElement right)
    {
        if (left.ValueKind == JsonValueKind.Undefined || right.ValueKind == JsonValueKind.Undefined)
        {
            return left.ValueKind == right.ValueKind;
        }

        return JsonElement.DeepEquals(left, right);
    }

    /// <summary>
    /// The element as text that any strict reader accepts: its own text where that is so, else (comments, trailing commas, which
    /// a lenient document lets through) written anew.
    /// </summary>
    /// <exception cref="JsonException">The element cannot be kept: undefined, or nested too deep.</exception>
    internal static string ToStorableText(JsonElement element) => ToStorableText(element, out _);

    /// <inheritdoc cref="ToStorableText(JsonElement)"/>
    internal static string ToStorableText(JsonElement element, out bool isAsGiven)
    {
        isAsGiven = true;
        if (element.ValueKind == JsonValueKind.Undefined)
        {
            throw new JsonException("It is not JSON: the element is undefined.");
        }

        string text;
        try
        {
            text = element.GetRawText();
        }
        catch (ObjectDisposedException e)
        {
            throw new JsonException("It is not JSON any more: its document was disposed.", e);
        }

        if (IsStrict(text))
        {
            return text;
        }

        isAsGiven = false;
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = MaxDepth }))
        {
            try
            {
                element.WriteTo(writer);
            }
            catch (InvalidOperationException e)
            {
                throw new JsonException($"It nests deeper than {MaxDepth} levels.", e);
            }
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Reads stored text back.</summary>
    internal static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 256 });
        return document.RootElement.Clone();
    }

    private static bool IsStrict(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
