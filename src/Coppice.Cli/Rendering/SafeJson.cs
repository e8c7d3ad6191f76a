using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coppice.Cli.Rendering;

/// <summary>JSON for a terminal: the same values, with every character that a terminal might act on written as <c>\uXXXX</c>.</summary>
internal static class SafeJson
{
    /// <summary>One task as on the wire.</summary>
    public static string OfTask(TaskSnapshot task) => Write(writer => WriteTask(writer, task), indented: false);

    /// <summary>One task, into a larger text.</summary>
    public static void WriteTask(Utf8JsonWriter writer, TaskSnapshot task) => 
        JsonSerializer.Serialize(writer, task);

    /// <summary>A JSON text from a writer.</summary>
    public static string Write(Action<Utf8JsonWriter> write, bool indented)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = indented, MaxDepth = 2048, NewLine = "\n" }))
        {
            write(writer);
        }

        return Escape(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    /// <summary>
    /// Escapes what is not fit to be shown. Outside ASCII a JSON text has characters only inside its strings, where an escape means
    /// the same, so the values stay what they are.
    /// </summary>
    public static string Escape(string json)
    {
        StringBuilder? result = null;
        var index = 0;
        foreach (var rune in json.EnumerateRunes())
        {
            if (rune.Value < 0x7f || SafeText.IsSafe(rune))
            {
                result?.Append(rune);
            }
            else
            {
                result ??= new StringBuilder(json, 0, index, json.Length + 64);
                foreach (var unit in rune.ToString())
                {
                    result.Append(CultureInfo.InvariantCulture, $"\\u{(int)unit:x4}");
                }
            }

            index += rune.Utf16SequenceLength;
        }

        return result?.ToString() ?? json;
    }
}
