using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>
/// Counts one folder, and all beneath it where it is at the deepest level. First everything is listed, so that there is something to
/// measure the progress by; then the files are read.
/// </summary>
internal sealed class FolderScanner(SurveyRules rules, FolderItem item, TimeProvider time, Action<FolderProgress> report, CancellationToken cancellationToken)
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(200);

    // Less than this is counted before anybody could see a bar.
    private const int ManyFiles = 100;
    private const long ManyBytes = 1_000_000;

    private readonly Tally _tally = new();
    private long _lastReport = time.GetTimestamp();
    private long _totalFiles;
    private long _totalBytes;

    private bool IsDeep => item.Level >= rules.Depth;

    /// <summary>Counts the folder.</summary>
    /// <param name="found">Is given the sub-folders that need a task of their own, in the order of their names, as soon as they are listed.</param>
    /// <exception cref="OperationCanceledException">The survey was cancelled.</exception>
    public FolderResult Run(Action<IReadOnlyList<string>> found)
    {
        List(found);
        ReportProgress(listed: true, always: _totalFiles >= ManyFiles || _totalBytes >= ManyBytes);
        Walk(CountEntry, _ => _tally.Counts.Folders++, (path, e) => _tally.Report(
            HasLostBytes(path) ? ProblemKinds.UnreadableName : ProblemKinds.UnreadableFolder, path, Reason(path, e)));
        ReportProgress(listed: true, always: true);
        return _tally.ToResult(item.Path);
    }

    private void List(Action<IReadOnlyList<string>> found)
    {
        var subFolders = new List<string>();
        Walk(
            (folder, entry) =>
            {
                if (entry.Kind == FolderEntryKind.File)
                {
                    _totalFiles++;
                    _totalBytes += entry.Length;
                    ReportProgress(listed: false);
                }
                else if (entry.Kind == FolderEntryKind.Folder && !IsDeep && !rules.Excludes(entry.Name))
                {
                    subFolders.Add(Join(folder, entry.Name));
                }
            },
            onListed: static _ => { },
            onProblem: static (_, _) => { });
        subFolders.Sort(StringComparer.Ordinal);
        found(subFolders);
    }

    /// <summary>Goes through the folder, and where this is the deepest level through all beneath it. Nothing is kept but the folders still to go to.</summary>
    private void Walk(Action<string, FolderEntry> onEntry, Action<string> onListed, Action<string, Exception> onProblem)
    {
        var waiting = new Stack<string>();
        waiting.Push(item.Path);
        while (waiting.TryPop(out var folder))
        {
            try
            {
                foreach (var entry in FolderListing.Of(FullPath(folder)))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    onEntry(folder, entry);
                    if (IsDeep && entry.Kind == FolderEntryKind.Folder && !rules.Excludes(entry.Name))
                    {
                        waiting.Push(Join(folder, entry.Name));
                    }
                }

                onListed(folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                onProblem(folder, e);
            }
        }
    }

    private void CountEntry(string folder, FolderEntry entry)
    {
        var path = Join(folder, entry.Name);
        switch (entry.Kind)
        {
            case FolderEntryKind.File:
                CountFile(entry, path);
                ReportProgress(listed: true);
                break;
            case FolderEntryKind.Folder when rules.Excludes(entry.Name):
                _tally.CountExcluded(entry.Name);
                break;
            case FolderEntryKind.Link:
                _tally.Counts.LinksNotFollowed++;
                if (LinkJudge.Judge(rules.Root, FullPath(path)) is { } problem)
                {
                    _tally.Report(problem.Kind, path, problem.Detail);
                }

                break;
            case FolderEntryKind.Unreachable:
                _tally.Report(ProblemKinds.UnreadableName, path, "it is listed, but cannot be reached by that name, which may not be valid UTF-8");
                break;
        }
    }

    private void CountFile(FolderEntry entry, string path)
    {
        var fullPath = FullPath(path);
        if (rules.IsStoreFile(fullPath))
        {
            return;
        }

        if (entry.Length == 0)
        {
            CountEmpty(entry, path, fullPath);
        }
        else if (entry.Length > rules.MaxFileBytes)
        {
            _tally.Report(ProblemKinds.LargeFile, path, $"{Amounts.Bytes(entry.Length)}, more than {Amounts.Bytes(rules.MaxFileBytes)}");
            _tally.CountFile(entry.Name, entry.Length, new FileLines(IsText: true, 0));
        }
        else
        {
            _tally.CountFile(entry.Name, entry.Length, Read(entry, path, fullPath));
        }
    }

    private void CountEmpty(FolderEntry entry, string path, string fullPath)
    {
        if (SpecialFiles.KindOf(fullPath) is { } kind)
        {
            _tally.Report(ProblemKinds.SpecialFile, path, kind);
            return;
        }

        if (HasLostBytes(path) && !File.Exists(fullPath))
        {
            _tally.Report(ProblemKinds.UnreadableName, path, "its name is not valid UTF-8; it counts as a file, of unknown size");
        }

        _tally.CountFile(entry.Name, 0, new FileLines(IsText: true, 0));
    }

    private FileLines Read(FolderEntry entry, string path, string fullPath)
    {
        try
        {
            return LineCounter.Count(fullPath, entry.Length, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _tally.Report(HasLostBytes(path) ? ProblemKinds.UnreadableName : ProblemKinds.UnreadableFile, path, Reason(path, e));
            return new FileLines(IsText: true, 0);
        }
    }

    private void ReportProgress(bool listed, bool always = false)
    {
        if (!always && time.GetElapsedTime(_lastReport) < ReportInterval)
        {
            return;
        }

        _lastReport = time.GetTimestamp();
        var done = _tally.Counts;
        report(new FolderProgress(listed, done.Files, Math.Max(_totalFiles, done.Files), done.Lines, done.Bytes, Math.Max(_totalBytes, done.Bytes)));
    }

    private string FullPath(string path) => path == FolderItem.RootPath ? rules.Root : Path.Combine(rules.Root, path);

    private static string Join(string folder, string name) => folder == FolderItem.RootPath ? name : folder + Path.DirectorySeparatorChar + name;

    /// <summary>Bytes of a name that are not valid UTF-8 come out as this character, and there is no way back to the file.</summary>
    private static bool HasLostBytes(string path) => path.Contains('\uFFFD', StringComparison.Ordinal);

    private static string Reason(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException when HasLostBytes(path) => "its name is not valid UTF-8",
        UnauthorizedAccessException => "permission denied",
        FileNotFoundException or DirectoryNotFoundException => "it is gone",
        PathTooLongException => "its path is too long",
        _ => e.Message,
    };
}
