using System.Text;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Terminal;
using Spectre.Console.Rendering;

namespace Coppice.Cli.Tests.Support;

/// <summary>The command in this process, with its two streams in memory.</summary>
internal sealed class TestConsole
{
    private readonly StringBuilder _out = new();
    private readonly StringBuilder _error = new();

    public TestConsole(TerminalTraits? traits = null) => Console = new CliConsole(
        new StringWriter(_out) { NewLine = "\n" }, new StringWriter(_error) { NewLine = "\n" }, traits ?? Pipe(200));

    public CliConsole Console { get; }

    public string Out => _out.ToString();

    public string Error => _error.ToString();

    public static TerminalTraits Pipe(int width) => new(OutIsTerminal: false, ErrorIsTerminal: false, Color: false, width, 24);

    public static string Render(IRenderable content, int width)
    {
        var console = new TestConsole(Pipe(width));
        console.Console.Show(content);
        return console.Out;
    }

    public Task<int> RunAsync(params string[] arguments) =>
        new CoppiceCommandLine(new CommandContext(Console, TimeProvider.System)).RunAsync(arguments, TestContext.Current.CancellationToken);
}
