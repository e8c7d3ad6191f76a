namespace Coppice.Cli.Survey;

/// <summary>One entry of a folder as it is listed, before anything is opened.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name.</param>
/// <param name="Length">Its size in bytes.</param>
internal readonly record struct FolderEntry(FolderEntryKind Kind, string Name, long Length);
