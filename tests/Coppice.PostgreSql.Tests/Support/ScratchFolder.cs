namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A place for a cluster of a test's own, with spaces in its path, which the server's user can reach whoever runs the tests.</summary>
public sealed class ScratchFolder : IAsyncDisposable
{
    private const UnixFileMode OpenToAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly string _root = Directory.CreateTempSubdirectory("coppice postgres ").FullName;

    public ScratchFolder()
        : this(reachable: true)
    {
    }

    internal ScratchFolder(bool reachable)
    {
        if (reachable && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_root, OpenToAll);
        }
    }

    /// <summary>Gets the cluster's folder, which is not there yet.</summary>
    public string Cluster => Path.Combine(_root, "a cluster");

    public async ValueTask DisposeAsync()
    {
        await PostgresScript.RunAsync("remove", Cluster);
        Directory.Delete(_root, recursive: true);
    }
}
