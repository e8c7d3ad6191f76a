using System.Globalization;

namespace Coppice.Cli.Terminal;

/// <summary>What the two output streams can do, judged from the environment once.</summary>
/// <param name="OutIsTerminal">Standard output is a terminal that understands escape sequences.</param>
/// <param name="ErrorIsTerminal">Standard error is one.</param>
/// <param name="Color">Colour is welcome: <c>NO_COLOR</c> is not set.</param>
/// <param name="Width">Columns; for a pipe or a file wide enough to cut hardly anything.</param>
/// <param name="Height">Rows.</param>
internal sealed record TerminalTraits(bool OutIsTerminal, bool ErrorIsTerminal, bool Color, int Width, int Height)
{
    private const int PipeWidth = 400;

    /// <summary>Looks at the process's own streams and environment.</summary>
    public static TerminalTraits Detect() =>
        Detect(Environment.GetEnvironmentVariable, !Console.IsOutputRedirected, !Console.IsErrorRedirected, () => Console.WindowWidth, () => Console.WindowHeight);

    /// <summary>Judges by what it is given.</summary>
    public static TerminalTraits Detect(Func<string, string?> variable, bool outIsTerminal, bool errorIsTerminal, Func<int> columns, Func<int> rows)
    {
        var understands = variable("TERM") is not ("dumb" or "");
        var someTerminal = outIsTerminal || errorIsTerminal;
        return new TerminalTraits(
            outIsTerminal && understands,
            errorIsTerminal && understands,
            string.IsNullOrEmpty(variable("NO_COLOR")),
            Number(variable("COLUMNS"), 20) ?? (outIsTerminal ? Ask(columns, 80) : PipeWidth),
            Number(variable("LINES"), 5) ?? (someTerminal ? Ask(rows, 24) : 24));
    }

    private static int? Number(string? text, int atLeast) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= atLeast && number <= 10_000 ? number : null;

    private static int Ask(Func<int> size, int otherwise)
    {
        try
        {
            return size() is > 0 and var known ? known : otherwise;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return otherwise;
        }
    }
}
