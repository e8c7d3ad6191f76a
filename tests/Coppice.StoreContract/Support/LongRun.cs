using System.Globalization;

namespace Coppice.StoreContract;

/// <summary>The long form of the proofs, which <c>tests/long.sh</c> asks for with <c>COPPICE_LONG=1</c>.</summary>
public static class LongRun
{
    private static readonly Lock Gate = new();

    /// <summary>Gets whether it is asked for.</summary>
    public static bool IsOn { get; } = Environment.GetEnvironmentVariable("COPPICE_LONG") == "1";

    /// <summary>How often to do something: what a variable of the environment says, else one of two counts.</summary>
    /// <param name="inTests">In <c>./test.sh</c>.</param>
    /// <param name="inLongRun">In <c>tests/long.sh</c>.</param>
    /// <param name="variable">The variable that overrides both.</param>
    public static int Count(int inTests, int inLongRun, string? variable = null) =>
        variable is not null && Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : IsOn ? inLongRun : inTests;

    /// <summary>Tells whoever watches a long run how far it is.</summary>
    public static void Progress(FormattableString line)
    {
        if (IsOn)
        {
            Console.Error.WriteLine(FormattableString.Invariant(line));
        }
    }

    /// <summary>Prints a line with the test, and adds it to the file that <c>COPPICE_RESULTS</c> names.</summary>
    public static void Report(FormattableString line)
    {
        var text = FormattableString.Invariant(line);
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        if (Environment.GetEnvironmentVariable("COPPICE_RESULTS") is { Length: > 0 } path)
        {
            lock (Gate)
            {
                File.AppendAllText(path, text + "\n");
            }
        }
    }
}
