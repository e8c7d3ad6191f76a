using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Coppice.Cli.CommandLine;

/// <summary>The help of a command, with examples and what else there is to know after its options.</summary>
internal sealed class CommandHelp(HelpAction help, IReadOnlyDictionary<Command, string> more) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter { NewLine = "\n" };
        parseResult.InvocationConfiguration.Output = text;
        var exitCode = help.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;

        // The program file has the project's name; the tool that people call has not.
        output.Write(text.ToString().TrimEnd().Replace(RootCommand.ExecutableName, CoppiceCommandLine.Name, StringComparison.Ordinal));
        output.WriteLine();
        if (more.TryGetValue(parseResult.CommandResult.Command, out var epilogue))
        {
            output.WriteLine();
            output.WriteLine(epilogue.TrimEnd().ReplaceLineEndings("\n"));
        }

        return exitCode;
    }
}
