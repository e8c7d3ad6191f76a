using System.IO.Enumeration;

namespace Coppice.Cli.Survey;

/// <summary>Lists a folder without following anything in it.</summary>
internal static class FolderListing
{
    private static readonly EnumerationOptions Everything = new()
    {
        AttributesToSkip = 0,
        IgnoreInaccessible = false,
        RecurseSubdirectories = false,
        ReturnSpecialDirectories = false,
    };

    /// <summary>The entries of a folder, as they come.</summary>
    /// <exception cref="IOException">The folder cannot be listed; thrown while it is enumerated.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be listed; thrown while it is enumerated.</exception>
    public static IEnumerable<FolderEntry> Of(string path) =>
        new FileSystemEnumerable<FolderEntry>(path, static (ref FileSystemEntry entry) => Read(ref entry), Everything);

    private static FolderEntry Read(ref FileSystemEntry entry)
    {
        var name = entry.FileName.ToString();
        var attributes = entry.Attributes;
        if ((int)attributes == -1)
        {
            return new FolderEntry(FolderEntryKind.Unreachable, name, 0);
        }

        if (attributes.HasFlag(FileAttributes.ReparsePoint))
        {
            return new FolderEntry(FolderEntryKind.Link, name, 0);
        }

        return entry.IsDirectory
            ? new FolderEntry(FolderEntryKind.Folder, name, 0)
            : new FolderEntry(FolderEntryKind.File, name, entry.Length);
    }
}
