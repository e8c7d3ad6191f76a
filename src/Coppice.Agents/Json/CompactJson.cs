using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Coppice.Agents;

/// <summary>Takes the indentation out of JSON, which functions made by the factory write, and leaves every other byte as it is.</summary>
internal static class CompactJson
{
    internal static JsonElement Of(JsonElement element)
    {
        // In a string a line break is an escape, so where there is one the text is indented.
        var json = JsonMarshal.GetRawUtf8Value(element);
        return json.Contains((byte)'\n') ? JsonElement.Parse(WithoutSpace(json), new JsonDocumentOptions { MaxDepth = 256 }) : element;
    }

    private static ReadOnlySpan<byte> WithoutSpace(ReadOnlySpan<byte> json)
    {
        var compact = new ArrayBufferWriter<byte>(json.Length);
        while (!json.IsEmpty)
        {
            var length = json[0] switch
            {
                (byte)'"' => LengthOfString(json),
                (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' => 0,
                _ => LengthOfRest(json),
            };
            compact.Write(json[..length]);
            json = json[Math.Max(1, length)..];
        }

        return compact.WrittenSpan;
    }

    private static int LengthOfString(ReadOnlySpan<byte> json)
    {
        var at = 1;
        while (json[at] != '"')
        {
            at += json[at] == '\\' ? 2 : 1;
        }

        return at + 1;
    }

    private static int LengthOfRest(ReadOnlySpan<byte> json)
    {
        var end = json.IndexOfAny("\" \t\r\n"u8);
        return end < 0 ? json.Length : end;
    }
}
