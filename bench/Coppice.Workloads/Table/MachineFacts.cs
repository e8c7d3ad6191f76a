using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Coppice.Workloads;

/// <summary>What has to be known of a machine to read its figures. Nothing that says whose it is.</summary>
internal sealed record MachineFacts
{
    public required int Cores { get; init; }

    public required string System { get; init; }

    public required string Architecture { get; init; }

    public required string Runtime { get; init; }

    public required string Collector { get; init; }

    /// <summary>Gets the type of the file system that the files of measurements are on.</summary>
    public required string FileSystem { get; init; }

    /// <summary>Gets how long a write of one page and its fdatasync take, in microseconds: the median of some hundreds.</summary>
    public required double SyncMicroseconds { get; init; }

    /// <summary>Gets the database server and its version, where a row measures one.</summary>
    public string? Server { get; init; }

    internal static MachineFacts Measure(string data, int syncs)
    {
        var settings = GC.GetConfigurationVariables();
        return new()
        {
            Cores = Environment.ProcessorCount,
            System = RuntimeInformation.OSDescription,
            Architecture = RuntimeInformation.ProcessArchitecture.ToString(),
            Runtime = RuntimeInformation.FrameworkDescription,
            Collector = $"{(settings.TryGetValue("ServerGC", out var server) && server is true ? "server" : "workstation")}, "
                + $"{(settings.TryGetValue("ConcurrentGC", out var concurrent) && concurrent is true ? "with" : "without")} background collection",
            FileSystem = new DriveInfo(Directory.CreateDirectory(data).FullName).DriveFormat,
            SyncMicroseconds = Math.Round(MeasureSync(Path.Combine(data, "sync"), syncs)),
        };
    }

    internal string ToText() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cores} cores ({Architecture}), {System}, {Runtime}, collector: {Collector}; {(Server is null ? "" : Server + ", ")}{FileSystem}, write and fdatasync of a page {SyncMicroseconds:0} µs");

    private static double MeasureSync(string path, int syncs)
    {
        const int Pages = 4096;
        var page = new byte[4096];
        try
        {
            using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, preallocationSize: Pages * page.Length);
            for (var i = 0; i < Pages; i++)
            {
                RandomAccess.Write(file, page, i * page.Length);
            }

            Sync(file.DangerousGetHandle());
            var times = new List<double>();
            for (var i = 0; i < syncs; i++)
            {
                var start = Stopwatch.GetTimestamp();
                RandomAccess.Write(file, page, i % Pages * page.Length);
                Sync(file.DangerousGetHandle());
                times.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }

            return Statistics.Median(times);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static void Sync(nint file)
    {
        if (DataSync((int)file) != 0)
        {
            throw new IOException("fdatasync failed.");
        }
    }

    // The framework offers fsync only, which writes more than SQLite's commits do.
    [DllImport("libc", EntryPoint = "fdatasync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int DataSync(int file);
}
