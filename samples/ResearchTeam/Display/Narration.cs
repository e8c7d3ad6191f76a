using System.Globalization;

namespace Coppice.Samples.ResearchTeam;

/// <summary>Tells a person what happens, one line each, as it happens. Safe for concurrent calls.</summary>
internal sealed class Narration(TextWriter output, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();

    internal void Heading(string name, string value) => Write($"{name + ":",-10}{TerminalText.Line(value)}");

    /// <summary>Somebody did something.</summary>
    internal void Tell(string who, string what)
    {
        var seconds = time.GetElapsedTime(_start).TotalSeconds;
        Write(string.Create(CultureInfo.InvariantCulture, $"{seconds,6:0.0} s  {TerminalText.Line(who),-12} {TerminalText.Line(what, 160)}"));
    }

    internal void Report(string text) => Write($"\nReport\n\n{TerminalText.Block(text)}");

    private void Write(string text)
    {
        lock (_lock)
        {
            output.WriteLine(text);
        }
    }
}
