using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

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

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth };

    [RequiresUnreferencedCode(ReflectionMessage)]
    [RequiresDynamicCode(ReflectionMessage)]
    internal static JsonElement From<T>(T value) => JsonSerializer.SerializeToElement(value, JsonSerializerOptions.Web);

    /// <summary>Reads a value that was stored. Converters are the application's: whatever they throw, the value is not of the type.</summary>
    /// <exception cref="JsonException">The value is not of the type.</exception>
    internal static T? Read<T>(JsonElement json, JsonTypeInfo<T> jsonTypeInfo)
    {
        try
        {
            return json.Deserialize(jsonTypeInfo);
        }
        catch (Exception e) when (e is not JsonException)
        {
            throw Unreadable<T>(e);
        }
    }

    /// <inheritdoc cref="Read{T}(JsonElement, JsonTypeInfo{T})"/>
    [RequiresUnreferencedCode(ReflectionMessage)]
    [RequiresDynamicCode(ReflectionMessage)]
    internal static T? Read<T>(JsonElement json)
    {
        try
        {
            return json.Deserialize<T>(JsonSerializerOptions.Web);
        }
        catch (Exception e) when (e is not JsonException)
        {
            throw Unreadable<T>(e);
        }
    }

    internal static bool Same(JsonElement? left, JsonElement? right) =>
        left.HasValue == right.HasValue && (!left.HasValue || Same(left.Value, right!.Value));

    internal static bool Same(JsonElement left, JsonElement right)
    {
        if (left.ValueKind == JsonValueKind.Undefined || right.ValueKind == JsonValueKind.Undefined)
        {
            return left.ValueKind == right.ValueKind;
        }

        try
        {
            return JsonElement.DeepEquals(left, right);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentOutOfRangeException)
        {
            // Broken text and numbers past every range are grammatical, but have no value to compare.
            return JsonMarshal.GetRawUtf8Value(left).SequenceEqual(JsonMarshal.GetRawUtf8Value(right));
        }
    }

    /// <summary>
    /// The element as any strict reader accepts it: as it is where that is so, else (comments and trailing commas, which a lenient
    /// document lets through) written anew.
    /// </summary>
    /// <param name="element">A value from outside.</param>
    /// <param name="bytes">Its size as UTF-8 JSON.</param>
    /// <exception cref="JsonException">The element cannot be kept: undefined, or nested too deep.</exception>
    internal static JsonElement ToStorable(JsonElement element, out int bytes)
    {
        var raw = Raw(element);
        if (IsStrict(raw))
        {
            bytes = raw.Length;
            return element.Clone();
        }

        var buffer = new ArrayBufferWriter<byte>(raw.Length);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = MaxDepth }))
        {
            try
            {
                element.WriteTo(writer);
            }
            catch (InvalidOperationException e)
            {
                throw new JsonException(
                    writer.CurrentDepth >= MaxDepth ? $"It nests deeper than {MaxDepth} levels." : "It holds text that is not valid Unicode.", e);
            }
        }

        bytes = buffer.WrittenCount;
        return JsonElement.Parse(buffer.WrittenSpan);
    }

    /// <summary>The text of an element, as <see cref="ToStorable"/> keeps it.</summary>
    internal static ReadOnlySpan<byte> ToStorableText(JsonElement element) => Raw(ToStorable(element, out _));

    /// <summary>Reads stored text back.</summary>
    internal static JsonElement Parse(string text) => JsonElement.Parse(text, new JsonDocumentOptions { MaxDepth = 256 });

    private static JsonException Unreadable<T>(Exception thrown) =>
        new($"{typeof(T).Name} cannot be read from JSON. {ExceptionText.Of(thrown)}", thrown);

    private static ReadOnlySpan<byte> Raw(JsonElement element)
    {
        try
        {
            if (element.ValueKind == JsonValueKind.Undefined)
            {
                throw new JsonException("It is not JSON: the element is undefined.");
            }

            var raw = JsonMarshal.GetRawUtf8Value(element);
            return Utf8.IsValid(raw) ? raw : throw new JsonException("It holds bytes that are not UTF-8.");
        }
        catch (ObjectDisposedException e)
        {
            throw new JsonException("It is not JSON any more: its document was disposed.", e);
        }
    }

    private static bool IsStrict(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, Strict);
        try
        {
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
