using System.Globalization;

namespace Coppice.PostgreSql;

/// <summary>The text of a statement that writes and can stand within another one, its values wherever they are in that.</summary>
/// <param name="write">Writes it: the number of its first value, and a further condition, empty or beginning with AND.</param>
internal sealed class WriteText(Func<int, string, string> write)
{
    private static int _last;

    /// <summary>Gets what tells it from all others in this process.</summary>
    public char Id { get; } = (char)Interlocked.Increment(ref _last);

    public string At(int first, string condition) => write(first, condition);

    /// <summary>The place of a value.</summary>
    public static string Place(int number) => string.Create(CultureInfo.InvariantCulture, $"${number}");
}
