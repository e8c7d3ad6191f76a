namespace Coppice.Samples.ResearchTeam;

/// <summary>Where the tasks are kept: in a file of the user's, or in a folder that is gone with this object.</summary>
internal sealed class StorePlace : IDisposable
{
    private readonly string? _temporary;

    private StorePlace(string path, string? temporary)
    {
        Path = path;
        _temporary = temporary;
    }

    internal string Path { get; }

    internal static StorePlace Create(string? path)
    {
        if (path is not null)
        {
            return new StorePlace(path, null);
        }

        var folder = Directory.CreateTempSubdirectory("research-team-").FullName;
        return new StorePlace(System.IO.Path.Combine(folder, "tasks.db"), folder);
    }

    public void Dispose()
    {
        if (_temporary is not null)
        {
            Directory.Delete(_temporary, recursive: true);
        }
    }
}
