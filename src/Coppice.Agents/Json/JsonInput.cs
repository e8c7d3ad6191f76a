using System.Buffers;
using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Coppice.Agents;

/// <summary>
/// Takes an argument in whatever form a pipeline hands it on (JSON as most do, .NET values where code calls the tool) as JSON, without
/// reflection.
/// </summary>
internal static class JsonInput
{
    private const int MaxDepth = 64;

    private static readonly JsonElement Null = JsonElement.Parse("null");

    /// <exception cref="InvalidArgumentsException">The value cannot be written as JSON; the message names the path.</exception>
    internal static JsonElement ToElement(object? value, string path)
    {
        try
        {
            return value switch
            {
                null => Null,
                JsonElement element => Defined(element),
                JsonDocument document => Defined(document.RootElement),
                _ => Convert(value, path),
            };
        }
        catch (ObjectDisposedException e)
        {
            throw new InvalidArgumentsException($"'{path}' is no JSON any more: its document was disposed.", e);
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidArgumentsException($"'{path}' nests too deep, or holds text that is not valid Unicode.", e);
        }
    }

    private static JsonElement Defined(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? Null : element;

    private static JsonElement Convert(object value, string path)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { MaxDepth = MaxDepth }))
        {
            Write(writer, value, path, 0);
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, object? value, string path, int depth)
    {
        if (depth == MaxDepth)
        {
            throw new InvalidArgumentsException($"'{path}' nests deeper than {MaxDepth} levels.");
        }

        switch (value)
        {
            case null: writer.WriteNullValue(); break;
            case string text: writer.WriteStringValue(SafeText.IsUnicode(text) ? text : throw NotUnicode(path)); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case sbyte or byte or short or ushort or int or uint or long: writer.WriteNumberValue(((IConvertible)value).ToInt64(null)); break;
            case ulong number: writer.WriteNumberValue(number); break;
            case decimal number: writer.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): writer.WriteNumberValue(number); break;
            case float number when float.IsFinite(number): writer.WriteNumberValue(number); break;
            case JsonElement element: element.WriteTo(writer); break;
            case JsonDocument document: document.WriteTo(writer); break;
            case JsonNode node: node.WriteTo(writer); break;
            case IEnumerable<KeyValuePair<string, object?>> properties:
                writer.WriteStartObject();
                foreach (var (name, item) in properties)
                {
                    writer.WritePropertyName(SafeText.IsUnicode(name) ? name : throw NotUnicode(path));
                    Write(writer, item, path, depth + 1);
                }

                writer.WriteEndObject();
                break;
            case IEnumerable items:
                writer.WriteStartArray();
                foreach (var item in items)
                {
                    Write(writer, item, path, depth + 1);
                }

                writer.WriteEndArray();
                break;
            default: throw new InvalidArgumentsException($"'{path}' is a .NET {value.GetType().Name}, which is no JSON value.");
        }
    }

    private static InvalidArgumentsException NotUnicode(string path) => new($"'{path}' holds text that is not valid Unicode.");
}
