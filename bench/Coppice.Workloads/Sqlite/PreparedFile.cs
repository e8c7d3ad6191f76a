using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>A store's file that takes long to make, and that several runs measure.</summary>
internal static class PreparedFile
{
    /// <summary>Makes the file unless it is there, made by the same build of the store and of the same size.</summary>
    /// <param name="parameters">Where it is to be, and of how many tasks.</param>
    /// <param name="fill">Puts so many tasks into a new file.</param>
    internal static async Task<Figures> MakeAsync(Parameters parameters, Func<string, int, Task> fill)
    {
        var tasks = parameters.Int("tasks", 1_000_000);
        var path = PathOf(parameters);
        var stamp = string.Create(CultureInfo.InvariantCulture, $"{typeof(SqliteTaskStore).Assembly.ManifestModule.ModuleVersionId} {tasks}");
        if (File.Exists(path + ".stamp") && await File.ReadAllTextAsync(path + ".stamp") == stamp)
        {
            return new Figures { ["made"] = 0 };
        }

        foreach (var old in Directory.EnumerateFiles(Directory.CreateDirectory(Path.GetDirectoryName(path)!).FullName, Path.GetFileName(path) + "*"))
        {
            File.Delete(old);
        }

        var start = Stopwatch.GetTimestamp();
        await fill(path, tasks);
        await File.WriteAllTextAsync(path + ".stamp", stamp);
        return new Figures { ["made"] = tasks, ["seconds"] = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    internal static string PathOf(Parameters parameters) => parameters.Text("path") ?? throw new InvalidOperationException("The path is missing.");
}
