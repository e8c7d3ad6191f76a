namespace Coppice.Sqlite.Tests;

/// <summary>A folder of a test's own.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("coppice-sqlite-").FullName;

    public string Store => Path.Combine(Root, "coppice.db");

    public void Dispose()
    {
        try
        {
            Directory.Delete(Root, recursive: true);
        }
        catch (IOException)
        {
            // A file that is still open on Windows; the system clears its temporary folder.
        }
    }
}
