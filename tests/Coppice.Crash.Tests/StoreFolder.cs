namespace Coppice.Crash.Tests;

/// <summary>A folder of its own for a store, gone with the test.</summary>
internal sealed class StoreFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("coppice-crash-");

    internal string DatabasePath => Path.Combine(_folder.FullName, "coppice.db");

    internal string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
