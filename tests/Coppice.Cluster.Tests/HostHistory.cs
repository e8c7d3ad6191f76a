using System.Globalization;

namespace Coppice.Cluster.Tests;

/// <summary>One line of a host: when, by the clock that all processes share, and what.</summary>
/// <param name="At">In microseconds.</param>
/// <param name="Host">Who wrote it.</param>
/// <param name="Form">One letter.</param>
/// <param name="Words">What follows it.</param>
internal sealed record HostLine(long At, string Host, string Form, string[] Words)
{
    internal string this[int place] => Words[place];

    internal long Number(int place) => long.Parse(Words[place], CultureInfo.InvariantCulture);

    internal string Rest(int from) => string.Join(' ', Words.Skip(from));
}

/// <summary>What all hosts have written, in the order of time. A line that a kill cut short counts for nothing.</summary>
internal sealed class HostHistory(IEnumerable<HostLine> lines)
{
    private readonly ILookup<string, HostLine> _forms = lines.OrderBy(static line => line.At).ToLookup(static line => line.Form);

    internal IEnumerable<HostLine> this[string form] => _forms[form];

    internal int Count => _forms.Sum(static form => form.Count());

    internal static HostHistory Read(IEnumerable<string> paths) =>
        // One that was killed before it began has none.
        new(paths.Where(File.Exists).SelectMany(static path => ReadLines(path).Select(line => Parse(Path.GetFileNameWithoutExtension(path), line))));

    internal static HostLine Parse(string host, string line)
    {
        var words = line.Split(' ');
        return new HostLine(long.Parse(words[0], CultureInfo.InvariantCulture), host, words[1], words[2..]);
    }

    private static IEnumerable<string> ReadLines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        var text = reader.ReadToEnd();
        return text.Split('\n').SkipLast(1);
    }
}
