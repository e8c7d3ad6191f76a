using System.Buffers.Text;

namespace Coppice.Testing;

/// <summary>Choices as text that can be passed on: a run of zeros or a choice at a time, in base 64 that is safe in a URL.</summary>
internal static class ReplayString
{
    private const string Form = "1.";

    internal static string Write(IReadOnlyList<int> choices)
    {
        var bytes = new List<byte>();
        var end = choices.Count;
        while (end > 0 && choices[end - 1] == 0)
        {
            end--;
        }

        for (var i = 0; i < end;)
        {
            var zeros = 0;
            while (choices[i + zeros] == 0)
            {
                zeros++;
            }

            // An even number is a run of zeros, an odd one a choice.
            WriteNumber(bytes, zeros > 0 ? zeros * 2L : (choices[i] * 2L) + 1);
            i += Math.Max(1, zeros);
        }

        return Form + Base64Url.EncodeToString([.. bytes]);
    }

    /// <exception cref="FormatException">The text was not written by <see cref="Write"/>.</exception>
    internal static List<int> Read(string text)
    {
        if (!text.StartsWith(Form, StringComparison.Ordinal))
        {
            throw new FormatException($"A replay string of this version begins with '{Form}'.");
        }

        var bytes = Base64Url.DecodeFromChars(text.AsSpan(Form.Length));
        var choices = new List<int>();
        for (var at = 0; at < bytes.Length;)
        {
            var number = ReadNumber(bytes, ref at);
            if (number % 2 == 1)
            {
                choices.Add((int)(number / 2));
            }
            else
            {
                choices.AddRange(Enumerable.Repeat(0, (int)Math.Min(number / 2, 1_000_000)));
            }
        }

        return choices;
    }

    private static void WriteNumber(List<byte> bytes, long number)
    {
        while (number >= 0x80)
        {
            bytes.Add((byte)(number | 0x80));
            number >>= 7;
        }

        bytes.Add((byte)number);
    }

    private static long ReadNumber(byte[] bytes, ref int at)
    {
        long number = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            if (at == bytes.Length)
            {
                break;
            }

            number |= (long)(bytes[at] & 0x7F) << shift;
            if (bytes[at++] < 0x80)
            {
                return number;
            }
        }

        throw new FormatException("The replay string is cut off.");
    }
}
