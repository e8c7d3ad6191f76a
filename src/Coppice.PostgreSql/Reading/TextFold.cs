using System.Collections.Frozen;
using System.Text;

namespace Coppice.PostgreSql;

/// <summary>
/// A search that takes no notice of case, as the <c>translate</c> and <c>strpos</c> of SQL. The database's own ideas of case differ from one
/// server to the next; this is what <see cref="StringComparison.OrdinalIgnoreCase"/> says, by which <see cref="TaskQuery.Matches"/> goes.
/// </summary>
internal sealed class TextFold
{
    private static readonly Lazy<FrozenDictionary<Rune, Rune[]>> Variants = new(FindVariants);

    public TextFold(string text)
    {
        Part = string.Concat(text.EnumerateRunes().Select(static rune => Rune.ToUpperInvariant(rune).ToString()));
        var (from, to) = (new StringBuilder(), new StringBuilder());
        foreach (var upper in Part.EnumerateRunes().Distinct())
        {
            foreach (var variant in VariantsOf(upper))
            {
                from.Append(variant);
                to.Append(upper);
            }
        }

        (From, To) = (from.ToString(), to.ToString());
    }

    /// <summary>Gets what is looked for.</summary>
    public string Part { get; }

    /// <summary>Gets the characters that are replaced in what it is looked for in, and no others than its own in another case.</summary>
    public string From { get; }

    /// <summary>Gets what they are replaced by, one for one.</summary>
    public string To { get; }

    // No other character has an ASCII letter for its upper case, and most searches look for nothing else.
    private static Rune[] VariantsOf(Rune upper) =>
        upper.IsAscii ? Rune.IsUpper(upper) ? [Rune.ToLowerInvariant(upper)] : []
        : Variants.Value.TryGetValue(upper, out var variants) ? variants : [];

    private static FrozenDictionary<Rune, Rune[]> FindVariants() =>
        Enumerable.Range(0x80, 0x10FFFF + 1 - 0x80)
            .Where(Rune.IsValid)
            .Select(static value => new Rune(value))
            .Where(static rune => Rune.ToUpperInvariant(rune) != rune)
            .GroupBy(Rune.ToUpperInvariant)
            .ToFrozenDictionary(static group => group.Key, static group => group.ToArray());
}
