namespace Coppice.Cli.Survey;

/// <summary>What reading a file told.</summary>
/// <param name="IsText">There is no NUL byte in it.</param>
/// <param name="Lines">How many lines it has; 0 when it is binary.</param>
internal readonly record struct FileLines(bool IsText, long Lines)
{
    public static FileLines Binary { get; }
}
