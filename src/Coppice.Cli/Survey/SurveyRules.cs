using System.IO.Enumeration;

namespace Coppice.Cli.Survey;

/// <summary>What a survey looks at and what it leaves out.</summary>
internal sealed record SurveyRules
{
    /// <summary>Folders that hold nothing anybody wrote: left out unless asked for.</summary>
    public static readonly IReadOnlyList<string> UsuallyExcluded = [".git", ".hg", ".svn", ".vs", "artifacts", "bin", "node_modules", "obj", "__pycache__"];

    public const int DefaultDepth = 3;
    public const int MaxDepth = 60;
    public const int DefaultParallel = 16;
    public const int MaxParallel = 64;
    public const long DefaultMaxFileBytes = 64L * 1024 * 1024;

    /// <summary>Gets the folder, its own links resolved.</summary>
    public required string Root { get; init; }

    /// <summary>Gets how many levels of sub-folders have tasks of their own; one at that level counts all that is beneath it.</summary>
    public int Depth { get; init; } = DefaultDepth;

    /// <summary>Gets how many folder tasks live at a time.</summary>
    public int Parallel { get; init; } = DefaultParallel;

    /// <summary>Gets the size in bytes above which the lines of a file are not counted.</summary>
    public long MaxFileBytes { get; init; } = DefaultMaxFileBytes;

    /// <summary>Gets the names of folders that are left out; <c>*</c> and <c>?</c> stand for any characters and any one.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = UsuallyExcluded;

    /// <summary>Gets the store's database. Its files are not opened: closing one would drop the locks that the store itself holds on it.</summary>
    public string? StorePath { get; init; }

    /// <summary>Whether a folder is left out because of its name.</summary>
    public bool Excludes(string folderName)
    {
        foreach (var pattern in Exclude)
        {
            if (FileSystemName.MatchesSimpleExpression(pattern, folderName, ignoreCase: OperatingSystem.IsWindows()))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a file belongs to the store: the database, or one that SQLite or the lock keeps beside it.</summary>
    public bool IsStoreFile(string path) => StorePath is not null && path.StartsWith(StorePath, StringComparison.Ordinal);
}
