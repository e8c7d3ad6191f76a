using System.Text;
using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>
/// Damages valid JSON: first by its grammar (fields dropped, doubled, moved, renamed, retyped, nested deep), so that the damage reaches
/// behind the parser, then as text and as bytes.
/// </summary>
/// <param name="random">Where chance comes from.</param>
public sealed class JsonFuzzer(Random random)
{
    private static readonly byte[][] StrayBytes =
    [
        [0xff], [0xc0, 0x80], [0xe2, 0x28, 0xa1], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xf4, 0x90, 0x80, 0x80], [0], [0x1b], [0x7f], [(byte)'"'], [(byte)'\\'],
    ];

    private static readonly byte[] Mark = [0xef, 0xbb, 0xbf];

    private static readonly int[] Depths = [1, 2, 5, 30, 50, 54, 55, 56, 57, 60, 61, 62, 63, 64, 65, 100, 1_000, 20_000];

    private readonly JsonTokens _tokens = new(random);

    /// <summary>A document like one of the given ones, damaged, as bytes.</summary>
    /// <param name="examples">Valid documents.</param>
    public byte[] Document(IReadOnlyList<string> examples)
    {
        ArgumentNullException.ThrowIfNull(examples);
        return random.Next(40) switch
        {
            0 => Noise(),
            1 => Encoding.UTF8.GetBytes(_tokens.Any()),
            2 => Encoding.UTF8.GetBytes(Nested(Pick(Depths))),
            _ => Scratch(Encoding.UTF8.GetBytes(DamagedTree(Pick(examples)))),
        };
    }

    /// <summary>A document like one of the given ones whose values and fields are damaged, but not its grammar.</summary>
    /// <param name="examples">Valid documents.</param>
    /// <param name="changes">How many changes at the most.</param>
    public string WellFormed(IReadOnlyList<string> examples, int changes)
    {
        ArgumentNullException.ThrowIfNull(examples);
        while (true)
        {
            var root = JsonTree.Parse(Pick(examples));
            for (var change = random.Next(changes + 1); change > 0; change--)
            {
                Change(root);
            }

            var text = new StringBuilder();
            root.Write(text, new JsonStyle(random, sloppy: 0));
            if (IsJson(text.ToString()))
            {
                return text.ToString();
            }
        }
    }

    /// <summary>Bytes that know nothing of JSON, or only its alphabet.</summary>
    public byte[] Noise()
    {
        var bytes = new byte[random.Next(200)];
        random.NextBytes(bytes);
        if (random.Next(2) == 0)
        {
            const string alphabet = "{}[]:,\"\\ntfalsru0123456789.-+eE /*\u0000k_id";
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)alphabet[bytes[i] % alphabet.Length];
            }
        }

        return bytes;
    }

    /// <summary>One of many.</summary>
    public T Pick<T>(IReadOnlyList<T> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        return choices[random.Next(choices.Count)];
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 100_000 });
            return true;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return false;
        }
    }

    private static string Nested(int depth, string inside = "1") =>
        string.Concat(Enumerable.Repeat("[", depth)) + inside + new string(']', depth);

    private string DamagedTree(string example)
    {
        var root = JsonTree.Parse(example);
        for (var change = random.Next(4); change > 0; change--)
        {
            Change(root);
        }

        var text = new StringBuilder();
        root.Write(text, new JsonStyle(random, random.Next(4) == 0 ? 30 : 0));
        return text.ToString();
    }

    private void Change(JsonTree root)
    {
        var branches = root.Branches().Where(static branch => branch.Items.Count > 0).ToList();
        if (branches.Count == 0)
        {
            return;
        }

        var branch = Pick(branches);
        var at = random.Next(branch.Items.Count);
        var (name, value) = branch.Items[at];
        switch (random.Next(10))
        {
            case 0:
                branch.Items.RemoveAt(at);
                break;
            case 1:
                branch.Items.Insert(random.Next(branch.Items.Count + 1), (name, random.Next(2) == 0 ? value : Scalar()));
                break;
            case 2:
                var items = branch.Items.ToArray();
                random.Shuffle(items);
                branch.Items.Clear();
                branch.Items.AddRange(items);
                break;
            case 3:
                branch.Items[at] = (_tokens.Name(), value);
                break;
            case 4:
                branch.Items.Insert(at, (_tokens.Name(), Scalar()));
                break;
            case 5:
                branch.Items[at] = (name, new JsonTree.Leaf(Nested(Pick(Depths), _tokens.Any())));
                break;
            case 6:
                // A part of the document stands where another is expected.
                branch.Items[at] = (name, JsonTree.Parse(Pick(Examples)));
                break;
            case 7:
                branch.Items[at] = (name, new JsonTree.Branch(random.Next(2) == 0 ? '[' : '{', [(_tokens.Name(), value)]));
                break;
            default:
                branch.Items[at] = (name, Scalar());
                break;
        }
    }

    private static readonly string[] Examples =
    [
        "{}", "[]", """{"task_id":"bg_1","run_id":"r"}""", """{"from":"a","content":"b"}""", """{"kind":"completed","task_id":"bg_7","result":null}""",
        """[{"a":[{"a":[{}]}]}]""", """{"":{"":{"":1}}}""",
    ];

    private JsonTree.Leaf Scalar() => new(_tokens.Any());

    private byte[] Scratch(byte[] document)
    {
        var bytes = new List<byte>(document);
        for (var scratch = random.Next(10) < 6 ? 0 : random.Next(1, 4); scratch > 0 && bytes.Count > 0; scratch--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 1:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 12), bytes.Count - at));
                    break;
                case 2:
                    bytes.InsertRange(at, Pick(StrayBytes));
                    break;
                case 3:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 4:
                    bytes.InsertRange(0, Mark);
                    break;
                default:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(_tokens.Any()));
                    break;
            }
        }

        return [.. bytes];
    }
}
