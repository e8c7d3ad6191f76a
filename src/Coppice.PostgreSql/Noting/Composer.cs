using System.Globalization;
using System.Text;
using Npgsql;

namespace Coppice.PostgreSql;

/// <summary>
/// Makes one statement of many parts, each a part of its WITH, so that they cost one round trip, and the server need not come back to the host between them.
/// </summary>
/// <remarks>
/// All parts see what was there before the statement, and the server runs them in whatever order it likes. A part that needs the room that others make in
/// its table asks how many rows they wrote, which the server knows only afterwards.
/// </remarks>
internal sealed class Composer(string schema)
{
    private const int MaxTexts = 256;

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    /// <summary>Makes the statement.</summary>
    /// <param name="envelope">What is around the parts.</param>
    /// <param name="values">The values of that.</param>
    /// <param name="parts">The parts; there may be none.</param>
    public NpgsqlCommand Compose(Envelope envelope, ReadOnlySpan<NpgsqlParameter> values, IReadOnlyList<Outgoing.Part> parts)
    {
        var command = new NpgsqlCommand(TextOf(envelope, parts));
        foreach (var value in values)
        {
            command.Parameters.Add(value);
        }

        foreach (var part in parts)
        {
            foreach (var value in part.Values)
            {
                command.Parameters.Add(value);
            }
        }

        return command;
    }

    private string TextOf(Envelope envelope, IReadOnlyList<Outgoing.Part> parts)
    {
        Span<char> key = stackalloc char[parts.Count + 1];
        key[0] = envelope.Id;
        for (var i = 0; i < parts.Count; i++)
        {
            key[i + 1] = parts[i].Text.Id;
        }

        // The parts that one depends on come right before it and are of the same table, so the order of the texts says it.
        var known = _texts.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!known.TryGetValue(key, out var text))
        {
            if (_texts.Count == MaxTexts)
            {
                _texts.Clear();
            }

            known[key] = text = Write(envelope, parts).Replace("{schema}", schema, StringComparison.Ordinal);
        }

        return text;
    }

    private static string Write(Envelope envelope, IReadOnlyList<Outgoing.Part> parts)
    {
        var text = new StringBuilder();
        var first = envelope.Values + 1;
        if (envelope.Before is { } before)
        {
            text.Append("WITH ").Append(before);
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var condition = envelope.Condition;
            for (var j = i - parts[i].After; j < i; j++)
            {
                condition += string.Create(CultureInfo.InvariantCulture, $" AND (SELECT count(*) FROM p{j}) >= 0");
            }

            text.Append(text.Length == 0 ? "WITH " : ", ")
                .Append(CultureInfo.InvariantCulture, $"p{i} AS ({parts[i].Text.At(first, condition)} RETURNING 1)");
            first += parts[i].Values.Length;
        }

        return text.Append(' ').Append(envelope.Main).ToString();
    }
}
