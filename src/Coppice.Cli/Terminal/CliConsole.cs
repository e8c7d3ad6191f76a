using System.Text;
using Coppice.Cli.Rendering;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Coppice.Cli.Terminal;

/// <summary>The two streams of the command: data goes to standard output, everything said about it to standard error.</summary>
internal sealed class CliConsole
{
    private readonly IAnsiConsole _styledOut;

    private readonly Func<TerminalTraits>? _measure;

    public CliConsole(TextWriter output, TextWriter error, TerminalTraits traits, Func<TerminalTraits>? measure = null)
    {
        _measure = measure;
        Out = output;
        Error = error;
        Traits = traits;
        _styledOut = Styled(output, traits.OutIsTerminal, traits);
        Live = Styled(error, traits.ErrorIsTerminal, traits);
    }

    /// <summary>Gets standard output, as it is: for JSON.</summary>
    public TextWriter Out { get; }

    /// <summary>Gets standard error, as it is.</summary>
    public TextWriter Error { get; }

    public TerminalTraits Traits { get; }

    /// <summary>Gets the console on standard error that a live view is drawn on.</summary>
    public IAnsiConsole Live { get; }

    /// <summary>Gets whether a view may be redrawn in place: both streams are terminals.</summary>
    public bool CanRedraw => Traits is { OutIsTerminal: true, ErrorIsTerminal: true };

    /// <summary>Opens the process's own streams, in UTF-8 whatever the locale: that is what JSON is written in.</summary>
    public static CliConsole OfProcess()
    {
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var output = new StreamWriter(Console.OpenStandardOutput(), utf8, 16 * 1024) { AutoFlush = false, NewLine = "\n" };
        var error = new StreamWriter(Console.OpenStandardError(), utf8, 1024) { AutoFlush = true, NewLine = "\n" };
        return new CliConsole(output, error, TerminalTraits.Detect(), TerminalTraits.Detect);
    }

    /// <summary>Looks again how large the terminal is; people resize it while something runs.</summary>
    public TerminalTraits Measure() => _measure?.Invoke() ?? Traits;

    /// <summary>Shows data to a person.</summary>
    public void Show(IRenderable content) => _styledOut.Write(content);

    /// <summary>Says something on standard error; whatever is in it, one line but for the breaks a terminal needs.</summary>
    public void Say(string message)
    {
        lock (Error)
        {
            foreach (var line in Lay(SafeText.Line(message), Traits.ErrorIsTerminal))
            {
                Error.WriteLine(line);
            }
        }
    }

    /// <summary>Shows sentences: between words broken on a terminal, one on a line elsewhere.</summary>
    public void Tell(IEnumerable<string> sentences)
    {
        foreach (var sentence in sentences)
        {
            foreach (var line in Lay(sentence, Traits.OutIsTerminal))
            {
                Out.WriteLine(line);
            }
        }
    }

    private IEnumerable<string> Lay(string text, bool isTerminal) => isTerminal ? SafeText.Wrap(text, Traits.Width, "  ") : [text];

    private static IAnsiConsole Styled(TextWriter writer, bool isTerminal, TerminalTraits traits)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = isTerminal && traits.Color ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new PlainOutput(writer, isTerminal, traits),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = traits.Width;
        console.Profile.Height = traits.Height;
        return console;
    }

    /// <summary>Tells Spectre what was found out already, so that it does not look for itself.</summary>
    private sealed class PlainOutput(TextWriter writer, bool isTerminal, TerminalTraits traits) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => traits.Width;

        public int Height => traits.Height;

        public void SetEncoding(Encoding encoding)
        {
            // The writer's encoding was chosen when it was opened.
        }
    }
}
