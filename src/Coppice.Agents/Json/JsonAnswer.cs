using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Coppice.Agents;

/// <summary>Writes what a tool answers: compact JSON, every script readable, angle brackets and quotes as escapes.</summary>
internal static class JsonAnswer
{
    private static readonly JsonWriterOptions Compact = new()
    {
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
        SkipValidation = true,
    };

    internal static JsonElement Write<TState>(TState state, Action<Utf8JsonWriter, TState> properties)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            properties(writer, state);
            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan, new JsonDocumentOptions { MaxDepth = 256 });
    }

    /// <summary>An answer that says what went wrong.</summary>
    internal static JsonElement Error(string code, string message) => Write((code, message), static (writer, error) =>
    {
        writer.WriteString("error", error.code);
        writer.WriteString("message", error.message);
    });
}
