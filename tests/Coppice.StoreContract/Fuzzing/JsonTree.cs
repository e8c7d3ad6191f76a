using System.Text;
using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>A JSON value that may be wrong in every way that JSON can be: names may stand twice, and a scalar is any text at all.</summary>
internal abstract class JsonTree
{
    internal static JsonTree Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return From(document.RootElement);
    }

    internal abstract void Write(StringBuilder text, JsonStyle style);

    /// <summary>This value and all below it that hold others.</summary>
    internal abstract IEnumerable<Branch> Branches();

    internal static JsonTree From(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => new Branch(
            '{', [.. element.EnumerateObject().Select(static field => (JsonSerializer.Serialize(field.Name), From(field.Value)))]),
        JsonValueKind.Array => new Branch('[', [.. element.EnumerateArray().Select(static item => ("", From(item)))]),
        _ => new Leaf(element.GetRawText()),
    };

    /// <summary>A scalar as it is to be written.</summary>
    internal sealed class Leaf(string token) : JsonTree
    {
        internal override void Write(StringBuilder text, JsonStyle style) => text.Append(token);

        internal override IEnumerable<Branch> Branches() => [];
    }

    /// <summary>An object or an array.</summary>
    internal sealed class Branch(char open, List<(string Name, JsonTree Value)> items) : JsonTree
    {
        internal List<(string Name, JsonTree Value)> Items => items;

        internal bool IsObject => open == '{';

        internal override void Write(StringBuilder text, JsonStyle style)
        {
            text.Append(open);
            for (var i = 0; i < items.Count; i++)
            {
                text.Append(i == 0 ? "" : style.Comma()).Append(style.Space());
                if (IsObject)
                {
                    text.Append(items[i].Name).Append(style.Space()).Append(':').Append(style.Space());
                }

                items[i].Value.Write(text, style);
                text.Append(style.Space());
            }

            text.Append(style.LastComma(items.Count)).Append(IsObject ? '}' : ']');
        }

        internal override IEnumerable<Branch> Branches() => [this, .. items.SelectMany(static item => item.Value.Branches())];
    }
}
