namespace Coppice.Workloads;

/// <summary>Where things are in this repository.</summary>
internal static class Repository
{
    internal static string Root { get; } = FindRoot();

    internal static string Results => Path.Combine(Root, "bench", "results");

    internal static string Data => Path.Combine(Root, "artifacts", "bench-data");

    internal static string QuickResults => Path.Combine(Root, "artifacts", "bench-quick");

    internal static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Coppice.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"There is no Coppice.slnx above {AppContext.BaseDirectory}.");
    }
}
