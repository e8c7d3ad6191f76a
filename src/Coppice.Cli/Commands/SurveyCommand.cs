using System.CommandLine;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;
using Coppice.Cli.Survey;
using Coppice.Cli.Terminal;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice survey</c>: counts a folder with a team of tasks.</summary>
internal sealed class SurveyCommand : ICliCommand
{
    private const string ThreadId = "survey";

    private readonly Argument<string> _folder = new("folder") { Description = "The folder.", DefaultValueFactory = _ => "." };

    private readonly Option<int> _depth = new("--depth", "-d")
    {
        Description = $"How many levels of sub-folders have tasks of their own, 0 to {SurveyRules.MaxDepth}. A task at the last level counts everything beneath its folder.",
        HelpName = "levels",
        DefaultValueFactory = _ => SurveyRules.DefaultDepth,
    };

    private readonly Option<int> _parallel = new("--parallel", "-p")
    {
        Description = $"How many folders are counted at a time, 1 to {SurveyRules.MaxParallel}.",
        HelpName = "tasks",
        DefaultValueFactory = _ => SurveyRules.DefaultParallel,
    };

    private readonly Option<string[]> _exclude = new("--exclude", "-x")
    {
        Description = $"Leave folders of this name out, too; * and ? are wildcards. Always left out: {StoreLocation.FolderName}. Left out unless --all: {string.Join(", ", SurveyRules.UsuallyExcluded)}.",
        HelpName = "name",
    };

    private readonly Option<bool> _all = new("--all", "-a") { Description = "Count the folders that are usually left out." };

    private readonly Option<int> _maxFile = new("--max-file")
    {
        Description = "Above this size in MiB the lines of a file are not counted, 1 to 1048576.",
        HelpName = "MiB",
        DefaultValueFactory = _ => (int)(SurveyRules.DefaultMaxFileBytes >> 20),
    };

    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Show no progress, only the result." };

    private readonly Option<bool> _json = SharedOptions.Json("Write the result as JSON, and nothing else on standard output.");

    private SharedOptions _shared = null!;

    public string Examples => """
        Examples:
          coppice survey                        this folder
          coppice survey ~/src --depth 2        fewer, larger tasks
          coppice survey . -x 'test*' -x docs   without some folders
          coppice survey . --json | jq .totals

        Ctrl-C cancels the tasks and shows what was counted (exit code 130); a second Ctrl-C leaves at once.
        Links are not followed. Pipes, sockets and devices are not opened. A file with a NUL byte in it is binary.
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        CommandChecks.Range(_depth, 0, SurveyRules.MaxDepth);
        CommandChecks.Range(_parallel, 1, SurveyRules.MaxParallel);
        CommandChecks.Range(_maxFile, 1, 1024 * 1024);
        return new Command("survey", "Count the files, lines, bytes and kinds of a folder with a team of background tasks.")
        {
            _folder, _depth, _parallel, _exclude, _all, _maxFile, _quiet, _json,
        };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var location = _shared.Location(parsed);
        var rules = Rules(parsed, location);
        using var signals = new StopSignals(context.Console, context.Time);
        await using var host = await context.Opening(new StoreAddress.FileAddress(location)).HostAsync(cancellationToken);
        var view = View(parsed, context);
        if (view is LiveView)
        {
            host.Troubles.Tell = text => view.Notice(text, urgent: true);
        }

        var run = new SurveyRun(host.Manager, rules, context, view);
        var report = await run.RunAsync(ThreadId, signals.First);

        if (parsed.GetValue(_json))
        {
            var json = JsonSerializer.SerializeToElement(report, SurveyJson.Default.SurveyReport);
            context.Console.Out.WriteLine(SafeJson.Write(json.WriteTo, indented: true));
        }
        else
        {
            context.Console.Show(ReportRendering.Draw(report, context.Console.Traits.Width));
        }

        await context.Console.Out.FlushAsync(cancellationToken);
        Summarise(report, context, location);
        return report.Status switch
        {
            "completed" => ExitCodes.Success,
            "cancelled" => signals.First.IsCompleted ? await signals.First : ExitCodes.Failed,
            _ => ExitCodes.Failed,
        };
    }

    private ISurveyView View(ParseResult parsed, CommandContext context) =>
        parsed.GetValue(_quiet) ? new QuietView()
        : context.Console.CanRedraw ? new LiveView(context.Console, context.Time)
        : new PlainView(context.Console, context.Time);

    private SurveyRules Rules(ParseResult parsed, StoreLocation location)
    {
        var usual = parsed.GetValue(_all) ? [] : SurveyRules.UsuallyExcluded;
        return new SurveyRules
        {
            Root = SurveyRoot.Resolve(parsed.GetValue(_folder)!),
            Depth = parsed.GetValue(_depth),
            Parallel = parsed.GetValue(_parallel),
            MaxFileBytes = (long)parsed.GetValue(_maxFile) << 20,
            Exclude = [StoreLocation.FolderName, .. usual, .. parsed.GetValue(_exclude) ?? []],
            StorePath = RealPath.Of(location.Path) ?? location.Path,
        };
    }

    private static void Summarise(SurveyReport report, CommandContext context, StoreLocation location)
    {
        var took = Durations.Show(TimeSpan.FromMilliseconds(report.ElapsedMs));
        var tasks = report.Tasks;
        context.Console.Say(report.Status switch
        {
            "completed" => $"Surveyed {report.Root} in {took} with {Amounts.Of(tasks.Spawned + 1, "task")}; '{CoppiceCommandLine.Name} tree {report.TaskId}' shows them ({location.Shown}).",
            "cancelled" => $"Cancelled after {took}: {(tasks.Cancelled == 0 ? "the surveyor was" : $"the surveyor and {Amounts.Of(tasks.Cancelled, "folder task")} were")} cancelled; {Amounts.Of(tasks.Completed, "folder")} had been counted, {Amounts.Of(tasks.NotBegun, "folder")} found but not begun. '{CoppiceCommandLine.Name} why {report.TaskId}' tells more.",
            _ => $"The survey failed after {took}: {report.Error}",
        });
    }
}
