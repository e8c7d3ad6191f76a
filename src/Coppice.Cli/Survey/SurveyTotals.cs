using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>Adds the results of the folders' tasks up.</summary>
internal sealed class SurveyTotals
{
    private const int MaxRows = 200;
    private const int MaxKinds = 200;
    private const int MaxProblemsOfAKind = 12;
    private const int MaxExcluded = 50;

    private readonly Dictionary<string, FolderRow> _rows = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KindCount> _kinds = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _excluded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _problemCounts = new(StringComparer.Ordinal);
    private readonly List<Problem> _problems = [];

    public Counts Counts { get; } = new();

    public long Spawned { get; set; }

    public long Completed { get; private set; }

    public long Failed { get; private set; }

    public long Cancelled { get; set; }

    public long NotBegun { get; set; }

    public long Ended => Completed + Failed + Cancelled;

    public void Add(FolderItem item, FolderResult result)
    {
        Completed++;
        Counts.Add(result);
        Row(item).Add(result);
        foreach (var kind in result.Kinds)
        {
            var known = _kinds.GetValueOrDefault(kind.Kind) ?? new KindCount(kind.Kind, 0, 0, 0);
            _kinds[kind.Kind] = new KindCount(kind.Kind, known.Files + kind.Files, known.Lines + kind.Lines, known.Bytes + kind.Bytes);
        }

        Tally(_excluded, result.Excluded);
        Tally(_problemCounts, result.ProblemCounts);
        foreach (var problem in result.Problems)
        {
            Keep(problem);
        }
    }

    public void AddFailure(FolderItem item, string error)
    {
        Failed++;
        Report(item, error);
    }

    public void AddRefusal(FolderItem item, string reason)
    {
        NotBegun++;
        Report(item, reason);
    }

    public SurveyReport ToReport(string root, string status, TimeSpan elapsed) => new()
    {
        Root = SafeText.Line(root, 1000),
        Status = status,
        ElapsedMs = (long)elapsed.TotalMilliseconds,
        Tasks = new TaskCounts(Spawned, Completed, Failed, Cancelled, NotBegun),
        Totals = Counts with { },
        Folders = [.. _rows.Values.OrderByDescending(row => row.Bytes).ThenBy(row => row.Path, StringComparer.Ordinal).Take(MaxRows)],
        FoldersNotListed = Math.Max(0, _rows.Count - MaxRows),
        Kinds = [.. _kinds.Values.OrderByDescending(kind => kind.Lines).ThenByDescending(kind => kind.Bytes).ThenBy(kind => kind.Kind, StringComparer.Ordinal).Take(MaxKinds)],
        KindsNotListed = Math.Max(0, _kinds.Count - MaxKinds),
        Excluded = [.. Largest(_excluded).Take(MaxExcluded)],
        ProblemCounts = [.. Largest(_problemCounts)],
        Problems = [.. _problems.OrderBy(problem => ProblemKinds.Rank(problem.Kind))],
    };

    private void Report(FolderItem item, string detail)
    {
        _problemCounts[ProblemKinds.FailedTask] = _problemCounts.GetValueOrDefault(ProblemKinds.FailedTask) + 1;
        Keep(new Problem(ProblemKinds.FailedTask, SafeText.Line(item.Path, 300), SafeText.Line(detail, 300)));
    }

    private void Keep(Problem problem)
    {
        if (_problems.Count(known => known.Kind == problem.Kind) < MaxProblemsOfAKind)
        {
            _problems.Add(problem);
        }
    }

    private FolderRow Row(FolderItem item)
    {
        var end = item.Path.IndexOf(Path.DirectorySeparatorChar, StringComparison.Ordinal);
        var top = SafeText.Line(end < 0 ? item.Path : item.Path[..end], 300);
        if (!_rows.TryGetValue(top, out var row))
        {
            _rows.Add(top, row = new FolderRow { Path = top });
        }

        return row;
    }

    private static void Tally(Dictionary<string, long> counts, IReadOnlyList<Tallied> more)
    {
        foreach (var (name, count) in more)
        {
            counts[name] = counts.GetValueOrDefault(name) + count;
        }
    }

    private static IEnumerable<Tallied> Largest(Dictionary<string, long> counts) =>
        counts.Select(pair => new Tallied(pair.Key, pair.Value)).OrderByDescending(t => t.Count).ThenBy(t => t.Name, StringComparer.Ordinal);
}
