namespace Coppice.Workloads;

/// <summary>A folder for files that have to reach a real disk, gone when it is disposed of.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private readonly string _path = Path.Combine(Root, Guid.NewGuid().ToString("N"));

    internal ScratchFolder() => Directory.CreateDirectory(_path);

    /// <summary>Gets where files of measurements go: the environment says, or beside the program.</summary>
    internal static string Root { get; } =
        Environment.GetEnvironmentVariable("COPPICE_BENCH_DATA") is { Length: > 0 } folder
            ? folder
            : Path.Combine(AppContext.BaseDirectory, "bench-data");

    internal string File(string name) => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
