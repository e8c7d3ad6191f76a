namespace Coppice.Cli.Survey;

/// <summary>Where a path leads once every link in it is followed.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    /// <summary>The path without links, or <see langword="null"/> when the links go in a circle. What does not exist is kept as written.</summary>
    public static string? Of(string path)
    {
        var todo = new Stack<string>();
        var real = Split(Path.GetFullPath(path), todo);
        var links = 0;
        while (todo.TryPop(out var part))
        {
            var next = Path.Combine(real, part);
            if (LinkTarget(next) is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MaxLinks)
            {
                return null;
            }

            real = Split(Path.GetFullPath(target, real), todo);
        }

        return real;
    }

    private static string Split(string path, Stack<string> todo)
    {
        var root = Path.GetPathRoot(path)!;
        var parts = path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        for (var i = parts.Length - 1; i >= 0; i--)
        {
            todo.Push(parts[i]);
        }

        return root;
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
