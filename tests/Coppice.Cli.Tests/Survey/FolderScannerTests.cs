using Coppice.Cli.Survey;
using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.Survey;

public sealed class FolderScannerTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly List<FolderProgress> _progress = [];
    private IReadOnlyList<string> _found = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Above_the_last_level_only_the_files_right_there_count_and_the_sub_folders_are_found()
    {
        _folder.File("a.cs", "1\n2\n");
        _folder.File("b.md", "x");
        _folder.File("sub2/c.cs", "no\n");
        _folder.Folder("sub1");
        var result = Scan(level: 0);

        Assert.Equal((1, 2, 3, 5), (result.Folders, result.Files, result.Lines, result.Bytes));
        Assert.Equal(["sub1", "sub2"], _found);
        Assert.Equal([".cs", ".md"], result.Kinds.Select(kind => kind.Kind).Order());
    }

    [Fact]
    public void At_the_last_level_everything_beneath_counts_and_nothing_is_left_to_others()
    {
        _folder.File("x/a/b/c/deep.txt", "1\n");
        _folder.File("x/top.txt", "2\n");
        var result = Scan(level: 3, path: "x");

        Assert.Equal((4, 2, 2), (result.Folders, result.Files, result.Lines));
        Assert.Empty(_found);
    }

    [Fact]
    public void Progress_says_what_was_found_before_it_says_what_is_done()
    {
        _folder.File("a.txt", new string('x', 1_000_000));
        _folder.File("b.txt", "12345");
        Scan(level: 0);

        Assert.Contains(new FolderProgress(Listed: true, 0, 2, 0, 0, 1_000_005), _progress);
        Assert.Equal(new FolderProgress(Listed: true, 2, 2, 2, 1_000_005, 1_000_005), _progress[^1]);
    }

    [Fact]
    public void Folders_are_left_out_by_name_and_counted()
    {
        _folder.File("bin/a.dll", "x");
        _folder.File("keep/bin/b.dll", "x");
        _folder.File("keep/c.txt", "x");
        var result = Scan(level: 0, depth: 0, exclude: ["b?n"]);

        Assert.Equal(1, result.Files);
        Assert.Equal([new Tallied("bin", 2)], result.Excluded);
    }

    [Fact]
    public void Links_are_reported_by_where_they_lead_and_never_followed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "Making links needs a right on Windows.");
        _folder.File("d/file.txt", "1\n");
        _folder.Link("d/up", "..");
        _folder.Link("d/inside", "file.txt");
        _folder.Link("d/out", "/usr");
        _folder.Link("d/gone", "nowhere");
        _folder.Link("d/self", "self");
        _folder.Link("d/ping", "pong");
        _folder.Link("d/pong", "ping");
        var result = Scan(level: 0, depth: 0);

        Assert.Equal(1, result.Files);
        Assert.Equal(7, result.LinksNotFollowed);
        Assert.Equal(
            [("d/gone", ProblemKinds.LinkBroken), ("d/out", ProblemKinds.LinkOut), ("d/ping", ProblemKinds.LinkCycle), ("d/pong", ProblemKinds.LinkCycle), ("d/self", ProblemKinds.LinkCycle), ("d/up", ProblemKinds.LinkCycle)],
            result.Problems.Select(problem => (problem.Path, problem.Kind)).Order());
    }

    [Fact]
    public void Binary_and_large_files_count_without_their_lines()
    {
        _folder.File("a.bin", [1, 0, 10, 10]);
        _folder.File("large.txt", "1\n2\n3\n4\n5\n6\n");
        var result = Scan(level: 0, maxFileBytes: 8);

        Assert.Equal((2, 0, 16, 1), (result.Files, result.Lines, result.Bytes, result.BinaryFiles));
        Assert.Equal(ProblemKinds.LargeFile, Assert.Single(result.Problems).Kind);
    }

    [Fact]
    public void Pipes_and_sockets_are_reported_and_not_opened()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The word for them is found on Linux.");
        _folder.Shell("mkfifo pipe && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"sock\")' || mkfifo sock");
        _folder.File("empty", "");
        var result = Scan(level: 0);

        Assert.Equal(1, result.Files);
        Assert.Equal(["pipe", "sock"], result.Problems.Where(p => p.Kind == ProblemKinds.SpecialFile).Select(p => p.Path).Order());
    }

    [Fact]
    public void A_name_that_is_not_valid_UTF8_is_reported()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Names are bytes there.");
        _folder.Shell("printf x > $'bad\\xff.txt' && mkdir $'dir\\xfe' && printf y > $'dir\\xfe/inside' && printf z > good.txt");
        var result = Scan(level: 0, depth: 0);

        Assert.True(result.ProblemCounts.Sum(p => p.Count) >= 2);
        Assert.All(result.Problems, problem => Assert.Equal(ProblemKinds.UnreadableName, problem.Kind));
        Assert.Contains(result.Kinds, kind => kind is { Kind: ".txt" });
    }

    [Fact]
    public void Strange_names_are_counted_and_shown_escaped()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Such names are allowed there.");
        _folder.File("a\nb\u001b[31m/[bold]x[/].txt", "1\n");
        _folder.Link("a\nb\u001b[31m/l\u202er", "nowhere");
        var result = Scan(level: 0, depth: 0);

        Assert.Equal((1, 1), (result.Files, result.Lines));
        Assert.Equal("a\\nb\\x1b[31m/l\\u202er", Assert.Single(result.Problems).Path);
    }

    [Fact]
    public void The_files_of_the_store_are_not_opened_nor_counted()
    {
        _folder.File("data/my.db", "x");
        _folder.File("data/my.db-wal", "x");
        _folder.File("data/other.txt", "x");
        var result = Scan(level: 0, depth: 0, storePath: _folder.At("data/my.db"));

        Assert.Equal(1, result.Files);
    }

    [Fact]
    public void A_folder_with_thousands_of_kinds_has_a_result_of_bounded_size()
    {
        foreach (var i in Enumerable.Range(0, 1000))
        {
            _folder.File($"f.x{i}", "");
            _folder.Link($"l{i}", "nowhere");
        }

        var result = Scan(level: 0);

        Assert.Equal(1000, result.Files);
        Assert.Equal(1000, result.Kinds.Sum(kind => kind.Files));
        Assert.InRange(result.Kinds.Count, 1, 201);
        Assert.InRange(result.Problems.Count, 1, 5);
        Assert.Equal(1000, Assert.Single(result.ProblemCounts).Count);
    }

    [Fact]
    public void Cancelling_stops_the_scan()
    {
        _folder.File("a.txt", "x");

        Assert.Throws<OperationCanceledException>(() => Scan(level: 0, isCancelled: true));
    }

    [Theory]
    [InlineData("a.CS", ".cs")]
    [InlineData("archive.tar.gz", ".gz")]
    [InlineData("Makefile", "(none)")]
    [InlineData(".gitignore", "(none)")]
    [InlineData("dot.", "(none)")]
    [InlineData("a.b\nc", "(other)")]
    [InlineData("a.[x]", "(other)")]
    [InlineData("a.averyveryverylongextension", "(none)")]
    public void The_kind_of_a_file_is_its_plain_extension(string name, string kind) => Assert.Equal(kind, Tally.KindOf(name));

    private FolderResult Scan(
        int level, string path = ".", int depth = 3, IReadOnlyList<string>? exclude = null, long maxFileBytes = SurveyRules.DefaultMaxFileBytes,
        string? storePath = null, bool isCancelled = false)
    {
        var rules = new SurveyRules { Root = RealPath.Of(_folder.Path)!, Depth = depth, Exclude = exclude ?? [], MaxFileBytes = maxFileBytes, StorePath = storePath };
        var scanner = new FolderScanner(rules, new FolderItem(path, level, "bg_0"), TimeProvider.System, _progress.Add,
            isCancelled ? new CancellationToken(canceled: true) : TestContext.Current.CancellationToken);
        return scanner.Run(found => _found = found);
    }
}
