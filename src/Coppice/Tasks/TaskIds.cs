using System.Globalization;

namespace Coppice;

/// <summary>The ids that stores give: <c>bg_</c> and a number counting up from 0.</summary>
public static class TaskIds
{
    /// <summary>What every such id begins with.</summary>
    public const string Prefix = "bg_";

    /// <summary>The largest number that moves a store's counter when a snapshot brings it (2^53).</summary>
    public const long MaxCounted = 1L << 53;

    /// <summary>The id of a number.</summary>
    /// <param name="number">From 0.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="number"/> is negative.</exception>
    public static string Format(long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        Span<char> digits = stackalloc char[20];
        number.TryFormat(digits, out var length, provider: CultureInfo.InvariantCulture);
        return string.Concat(Prefix, digits[..length]);
    }

    /// <summary>Reads an id in the one form that <see cref="Format"/> writes: no leading zeros, at most 2^53.</summary>
    /// <param name="id">Any text.</param>
    /// <param name="number">Its number.</param>
    public static bool TryParse(ReadOnlySpan<char> id, out long number)
    {
        number = 0;
        if (!id.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var digits = id[Prefix.Length..];
        if (digits.Length is 0 or > 16 || (digits[0] == '0' && digits.Length > 1))
        {
            return false;
        }

        foreach (var digit in digits)
        {
            if (!char.IsAsciiDigit(digit))
            {
                return false;
            }

            number = (number * 10) + (digit - '0');
        }

        return number <= MaxCounted;
    }

    /// <summary>Whether a name looks like an id, in any case and with any digits.</summary>
    /// <param name="name">Any text.</param>
    public static bool HasForm(ReadOnlySpan<char> name)
    {
        if (name.Length <= Prefix.Length || !name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        foreach (var digit in name[Prefix.Length..])
        {
            if (!char.IsDigit(digit))
            {
                return false;
            }
        }

        return true;
    }
}
