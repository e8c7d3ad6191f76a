namespace Coppice.Cli.Survey;

/// <summary>What an entry of a folder is.</summary>
internal enum FolderEntryKind
{
    File,
    Folder,
    Link,

    /// <summary>It is listed, but cannot be reached by the name that it is listed under.</summary>
    Unreachable,
}
