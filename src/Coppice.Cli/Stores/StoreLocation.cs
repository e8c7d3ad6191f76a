using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Stores;

/// <summary>The file that a store is kept in.</summary>
internal sealed class StoreLocation
{
    /// <summary>The folder of a store when none is named; surveys leave every folder of this name out.</summary>
    public const string FolderName = ".coppice";

    /// <summary>The store when none is named, under the current folder.</summary>
    public const string DefaultPath = FolderName + "/coppice.db";

    /// <summary>Takes a path as it was given.</summary>
    /// <exception cref="CliException">It is no path of a file.</exception>
    public StoreLocation(string path, string option = "--store")
    {
        if (path.Length == 0 || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new CliException(ExitCodes.Usage, $"{option} needs the path of a file.");
        }

        Path = System.IO.Path.GetFullPath(path);
        Shown = SafeText.Line(path, 200);
        if (Directory.Exists(Path))
        {
            throw new CliException(
                ExitCodes.Usage, $"{option} names the folder '{Shown}'; name a file in it, such as '{SafeText.Line(System.IO.Path.Combine(path, "coppice.db"), 200)}'.");
        }
    }

    /// <summary>Gets the full path.</summary>
    public string Path { get; }

    /// <summary>Gets the path as it was given, fit to be shown.</summary>
    public string Shown { get; }

    public bool Exists => File.Exists(Path);

    /// <summary>Makes the folder that the store is going to be in.</summary>
    /// <exception cref="CliException">It cannot be made.</exception>
    public void CreateFolder()
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CliException(
                ExitCodes.StoreUnavailable, $"The folder of the store '{Shown}' cannot be made ({e.Message}). Name a place that can be written with --store.", e);
        }
    }

    /// <summary>Refuses a store that is not there.</summary>
    /// <exception cref="CliException">There is no such file.</exception>
    public void RequireExisting()
    {
        if (!Exists)
        {
            throw new CliException(
                ExitCodes.NotFound, $"There is no store at '{Shown}'. 'coppice survey' makes one; --store names another.");
        }
    }
}
