using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Survey;

/// <summary>
/// Names for the tasks of folders. A path that can be a name is the name; any other is escaped and cut, and told from others by a hash
/// of what it really is.
/// </summary>
internal static partial class TaskNames
{
    private const int MaxLength = 128;
    private const int HashLength = 12;

    private static readonly string[] Reserved = ["parent", "self", "all", "broadcast", "surveyor"];

    /// <summary>A valid name for the folder's task; another for every other path.</summary>
    public static string ForFolder(string path)
    {
        var safe = SafeText.Line(path);
        return safe == path && CanBeName(path) ? path : Marked(safe.Trim(), path);
    }

    private static bool CanBeName(string path) =>
        path.Length is > 0 and <= MaxLength
        && path == path.Trim()
        && !path.Contains('\uFFFD', StringComparison.Ordinal)
        && !Array.Exists(Reserved, name => name.Equals(path, StringComparison.OrdinalIgnoreCase))
        && !TaskIds.HasForm(path)
        && !LooksMarked().IsMatch(path);

    private static string Marked(string safe, string path)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(path.AsSpan())))[..HashLength];
        var room = MaxLength - HashLength - 1;
        return (safe.Length <= room ? safe : "…" + CutFront(safe, room - 1)) + "~" + hash;
    }

    /// <summary>The end of a path says more than its beginning.</summary>
    private static string CutFront(string text, int length)
    {
        var end = text[^length..];
        return char.IsLowSurrogate(end[0]) ? end[1..] : end;
    }

    // So that no path can pass for the marked name of another.
    [GeneratedRegex("~[0-9a-f]{12}$")]
    private static partial Regex LooksMarked();
}
