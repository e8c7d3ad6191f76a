using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>Finds the folder that is to be surveyed.</summary>
internal static class SurveyRoot
{
    /// <summary>The folder's path without links.</summary>
    /// <exception cref="CliException">There is no such folder, or it cannot be read.</exception>
    public static string Resolve(string folder)
    {
        var shown = SafeText.Line(folder, 200);
        if (folder.Length == 0 || folder.Contains('\0', StringComparison.Ordinal))
        {
            throw new CliException(ExitCodes.Usage, "survey needs the path of a folder.");
        }

        var root = RealPath.Of(folder)
            ?? throw new CliException(ExitCodes.NotFound, $"'{shown}' is a link that leads back to itself.");
        if (File.Exists(root))
        {
            throw new CliException(ExitCodes.NotFound, $"'{shown}' is a file; name the folder that it is in.");
        }

        try
        {
            using var entries = FolderListing.Of(root).GetEnumerator();
            return root;
        }
        catch (DirectoryNotFoundException e)
        {
            throw new CliException(ExitCodes.NotFound, $"There is no folder '{shown}'.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CliException(ExitCodes.Failed, $"The folder '{shown}' may not be read: permission denied.", e);
        }
        catch (IOException e)
        {
            throw new CliException(ExitCodes.Failed, $"The folder '{shown}' cannot be read: {e.Message}", e);
        }
    }
}
