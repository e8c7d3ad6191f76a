using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>Counts up what a folder holds. However odd the folder, what it keeps is bounded.</summary>
internal sealed class Tally
{
    public const string NoKind = "(none)";
    public const string OtherKind = "(other)";

    private const int MaxKinds = 200;
    private const int MaxProblemsOfAKind = 5;
    private const int MaxExcluded = 50;
    private const int MaxPathShown = 300;

    private readonly Dictionary<string, KindCount> _kinds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _excluded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _problemCounts = new(StringComparer.Ordinal);
    private readonly List<Problem> _problems = [];

    public Counts Counts { get; } = new();

    /// <summary>The kind of a file by its name: its extension in lower case, where it has a plain one.</summary>
    public static string KindOf(string fileName)
    {
        var dot = fileName.LastIndexOf('.');
        if (dot <= 0 || dot == fileName.Length - 1)
        {
            return NoKind;
        }

        var extension = fileName.AsSpan(dot + 1);
        if (extension.Length > 16)
        {
            return NoKind;
        }

        foreach (var c in extension)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '+' or '#' or '-'))
            {
                return OtherKind;
            }
        }

        return "." + extension.ToString().ToLowerInvariant();
    }

    public void CountFile(string name, long bytes, FileLines lines)
    {
        Counts.Files++;
        Counts.Bytes += bytes;
        Counts.Lines += lines.Lines;
        Counts.BinaryFiles += lines.IsText ? 0 : 1;
        AddKind(new KindCount(KindOf(name), 1, lines.Lines, bytes));
    }

    public void CountExcluded(string folderName)
    {
        var name = SafeText.Line(folderName, 60);
        if (_excluded.ContainsKey(name) || _excluded.Count < MaxExcluded)
        {
            _excluded[name] = _excluded.GetValueOrDefault(name) + 1;
        }
        else
        {
            _excluded[OtherKind] = _excluded.GetValueOrDefault(OtherKind) + 1;
        }
    }

    public void Report(string kind, string path, string detail)
    {
        var count = _problemCounts[kind] = _problemCounts.GetValueOrDefault(kind) + 1;
        if (count <= MaxProblemsOfAKind)
        {
            _problems.Add(new Problem(kind, SafeText.Line(path, MaxPathShown), SafeText.Line(detail, MaxPathShown)));
        }
    }

    public FolderResult ToResult(string path)
    {
        var result = new FolderResult
        {
            Path = SafeText.Line(path, MaxPathShown),
            Kinds = [.. _kinds.Values],
            Excluded = [.. _excluded.Select(pair => new Tallied(pair.Key, pair.Value))],
            ProblemCounts = [.. _problemCounts.Select(pair => new Tallied(pair.Key, pair.Value))],
            Problems = _problems,
        };
        result.Add(Counts);
        return result;
    }

    private void AddKind(KindCount more)
    {
        var kind = _kinds.ContainsKey(more.Kind) || _kinds.Count < MaxKinds ? more.Kind : OtherKind;
        _kinds[kind] = _kinds.TryGetValue(kind, out var known)
            ? new KindCount(kind, known.Files + more.Files, known.Lines + more.Lines, known.Bytes + more.Bytes)
            : more with { Kind = kind };
    }
}
