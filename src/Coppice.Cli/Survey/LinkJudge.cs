namespace Coppice.Cli.Survey;

/// <summary>Says where a link leads. The survey follows none: what it leads to is counted where it lies, or not part of the folder.</summary>
internal static class LinkJudge
{
    /// <summary>What is worth reporting about a link, or <see langword="null"/> when it leads to something in the folder.</summary>
    public static (string Kind, string Detail)? Judge(string root, string linkPath)
    {
        if (RealPath.Of(linkPath) is not { } target)
        {
            return (ProblemKinds.LinkCycle, "the link leads back to itself");
        }

        if (!Path.Exists(target))
        {
            return (ProblemKinds.LinkBroken, $"the link leads to '{target}', which is not there");
        }

        if (IsWithin(target, Path.GetDirectoryName(linkPath)!))
        {
            return (ProblemKinds.LinkCycle, $"the link leads back up to '{target}'");
        }

        return IsWithin(root, target) ? null : (ProblemKinds.LinkOut, $"the link leads out of the folder, to '{target}'");
    }

    private static bool IsWithin(string folder, string path) =>
        path == folder || path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}
