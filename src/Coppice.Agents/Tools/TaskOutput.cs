using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Coppice.Agents;

/// <summary>
/// What a task left behind, its result or its error, in portions that a model can take in. What fits is written as it is; of a longer one
/// a page of text is: of the characters of a string, or of the JSON of any other result.
/// </summary>
internal sealed class TaskOutput
{
    private readonly string _property;
    private readonly string _format;
    private readonly JsonElement? _json;

    private TaskOutput(string property, string format, string text, JsonElement? json)
    {
        _property = property;
        _format = format;
        Text = text;
        _json = json;
    }

    /// <summary>Gets the text that pages are cut from.</summary>
    internal string Text { get; }

    /// <summary>What a task left behind, or null while there is nothing.</summary>
    internal static TaskOutput? Of(TaskSnapshot task)
    {
        if (task.Error is { } error)
        {
            return new TaskOutput("error", "text", error, null);
        }

        if (task.Result is not { } result)
        {
            return null;
        }

        return result.ValueKind == JsonValueKind.String
            ? new TaskOutput("result", "text", StringOf(result), result)
            : new TaskOutput("result", "json", Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(result)), result);
    }

    internal bool FitsIn(int chars) => Text.Length <= chars;

    /// <summary>Writes all of it.</summary>
    internal void WriteWhole(Utf8JsonWriter writer)
    {
        writer.WritePropertyName(_property);
        if (_json is { } json)
        {
            writer.WriteRawValue(SafeText.Json(JsonMarshal.GetRawUtf8Value(json)), skipInputValidation: true);
        }
        else
        {
            writer.WriteStringValue(Text);
        }
    }

    /// <summary>Writes a page, and where the next one begins.</summary>
    internal void WritePage(Utf8JsonWriter writer, int offset, int limit)
    {
        var start = SafeText.EndOfWhole(Text, offset);
        var end = SafeText.EndOfWhole(Text, (int)Math.Min(Text.Length, (long)start + limit));
        if (end <= start && start < Text.Length)
        {
            // One character of two units, where one unit was asked for.
            end = Math.Min(Text.Length, start + 2);
        }

        writer.WriteStartObject(_property + "_page");
        writer.WriteString("format", _format);
        writer.WriteString("text", Text.AsSpan(start, end - start));
        writer.WriteNumber("offset", start);
        if (end < Text.Length)
        {
            writer.WriteNumber("next_offset", end);
        }

        writer.WriteNumber("total_chars", Text.Length);
        writer.WriteEndObject();
    }

    private static string StringOf(JsonElement result)
    {
        try
        {
            return result.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // It has half a character in it.
            return JsonElement.Parse(SafeText.Json(JsonMarshal.GetRawUtf8Value(result))).GetString()!;
        }
    }
}
