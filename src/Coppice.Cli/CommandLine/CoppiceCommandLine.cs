using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Coppice.Cli.Commands;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.CommandLine;

/// <summary>The whole command line: its commands, its help, and what becomes of errors.</summary>
internal sealed class CoppiceCommandLine
{
    public const string Name = "coppice";

    private const string Epilogue = """
        Examples:
          coppice survey .                      count a folder with a team of tasks
          coppice ps --status failed            list what failed
          coppice why bg_7                      how a task came about and how it ended
          coppice prune --older-than 7d         forget what ended more than a week ago
          coppice doctor                        whether a host can work on the store

        Exit codes:
          0    done
          1    it could not be done
          2    the command line is wrong
          3    there is no such task, folder or store
          4    the store is in use by another process, damaged, or not to be opened
          130  ended by Ctrl-C
          143  ended by SIGTERM

        Data goes to standard output, everything said about it to standard error. NO_COLOR, COLUMNS and TERM=dumb are respected.
        """;

    private readonly CommandContext _context;
    private readonly SharedOptions _shared = new();
    private readonly RootCommand _root;

    public CoppiceCommandLine(CommandContext context)
    {
        _context = context;
        _root = new RootCommand("Background tasks for AI agents: survey a folder with them, and read and tend the store they leave.");
        _root.Options.Add(_shared.Store);
        _root.Options.Add(_shared.Schema);
        _root.Options.Add(_shared.Verbose);
        var help = new Dictionary<Command, string> { [_root] = Epilogue };
        foreach (var command in Commands())
        {
            Add(_root, command);
        }

        var database = new Command("db", "Tend the tables of a PostgreSQL store.");
        Add(database, new DbScriptCommand());
        _root.Subcommands.Add(database);

        void Add(Command above, ICliCommand command)
        {
            var definition = command.Define(_shared);
            definition.SetAction((parsed, cancellationToken) => command.RunAsync(parsed, context, cancellationToken));
            above.Subcommands.Add(definition);
            help[definition] = command.Examples;
        }

        foreach (var option in _root.Options.OfType<HelpOption>())
        {
            option.Action = new CommandHelp(new HelpAction { MaxWidth = context.Console.Traits.Width }, help);
        }
    }

    /// <summary>Runs one command.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken = default)
    {
        if (arguments.Count == 0)
        {
            await RunAsync(["--help"], cancellationToken);
            return ExitCodes.Usage;
        }

        // A folder may well be called "@notes"; it is no file of further arguments.
        var parsed = _root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        try
        {
            var exitCode = parsed.Action is ParseErrorAction ? Refuse(parsed) : await InvokeAsync(parsed, cancellationToken);
            await _context.Console.Out.FlushAsync(cancellationToken);
            return exitCode;
        }
        catch (Exception e) when (!parsed.GetValue(_shared.Verbose))
        {
            _context.Console.Say($"{Name}: {Message(e)}");
            return ExitCodeOf(e);
        }
        catch (Exception e)
        {
            _context.Console.Say($"{Name}: {Message(e)}");
            foreach (var line in SafeText.Block(e.ToString()))
            {
                _context.Console.Error.WriteLine(line);
            }

            return ExitCodeOf(e);
        }
    }

    private static IEnumerable<ICliCommand> Commands() =>
    [
        new SurveyCommand(), new PsCommand(), new TreeCommand(), new ShowCommand(), new WhyCommand(), new ExportCommand(),
        new PruneCommand(), new DoctorCommand(), new MigrateCommand(), new CompletionCommand(),
    ];

    private Task<int> InvokeAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var configuration = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            Output = _context.Console.Out,
            Error = _context.Console.Error,

            // Signals are for the commands: a survey cancels its tree, the others just end.
            ProcessTerminationTimeout = null,
        };
        return parsed.InvokeAsync(configuration, cancellationToken);
    }

    private int Refuse(ParseResult parsed)
    {
        // That a command is missing says less than what stands in its place.
        var error = parsed.UnmatchedTokens.Count > 0 ? parsed.Errors[^1] : parsed.Errors[0];
        _context.Console.Say($"{Name}: {error.Message} Try '{Name}{PathTo(parsed.CommandResult)} --help'.");
        return ExitCodes.Usage;
    }

    private static string PathTo(SymbolResult? result) =>
        result is CommandResult { Command: not RootCommand } command ? $"{PathTo(command.Parent)} {command.Command.Name}" : "";

    private static string Message(Exception e) => e switch
    {
        CliException or CoppiceException => e.Message,
        OperationCanceledException => "Cancelled.",
        IOException or UnauthorizedAccessException => $"Reading or writing failed: {e.Message}",
        _ => $"{e.Message} (this is not an error that was foreseen; --verbose shows where it comes from)",
    };

    private static int ExitCodeOf(Exception e) => e switch
    {
        CliException cli => cli.ExitCode,
        TaskStoreException { Code: "store_not_found" } => ExitCodes.NotFound,
        TaskStoreException => ExitCodes.StoreUnavailable,
        _ => ExitCodes.Failed,
    };
}
