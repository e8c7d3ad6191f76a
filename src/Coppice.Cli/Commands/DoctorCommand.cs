using System.CommandLine;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;
using Spectre.Console;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice doctor</c>: looks whether hosts can work on a store.</summary>
internal sealed class DoctorCommand : ICliCommand
{
    private const int ResultWidth = 9;
    private const int NameWidth = 13;

    private readonly Option<bool> _deep = new("--deep") { Description = "Read a whole file through for damage." };
    private readonly Option<bool> _json = SharedOptions.Json("Write a JSON object with the checks.");
    private SharedOptions _shared = null!;

    public string Examples => """
        Changes nothing, and may look while hosts are at work; it then waits some seconds for their beats. Run it on the
        machine, and as the user and role, that hosts run on: it says what holds there. The exit code is 1 if a check
        failed; a warning leaves it at 0. A password is best kept out of the command line: PGPASSWORD and ~/.pgpass are read.

        Examples:
          coppice doctor --deep
          coppice doctor --store "postgres:Host=db;Database=app;Username=app"
          coppice doctor --store postgres://app@db/app --json | jq '.checks[] | select(.result != "ok")'
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        return new Command("doctor", "Look whether hosts can work on a store, and whether what they store there is kept.") { _deep, _json };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var address = _shared.Address(parsed);
        var checks = await CheckAsync(address, parsed.GetValue(_deep), cancellationToken);
        var (failed, warnings) = (checks.Count(Is(StoreCheckResult.Failed)), checks.Count(Is(StoreCheckResult.Warning)));
        if (parsed.GetValue(_json))
        {
            context.Console.Out.WriteLine(SafeJson.Write(writer => Write(writer, address, checks, failed, warnings), indented: true));
        }
        else
        {
            context.Console.Show(Lines(checks, context.Console.Traits.Width));
            context.Console.Say(failed + warnings == 0
                ? $"{address.Shown}: all is well."
                : $"{address.Shown}: {Amounts.Of(failed, "check")} failed, {Amounts.Of(warnings, "warning")}.");
        }

        return failed > 0 ? ExitCodes.Failed : ExitCodes.Success;
    }

    private static async Task<IReadOnlyList<StoreCheck>> CheckAsync(StoreAddress address, bool deep, CancellationToken cancellationToken)
    {
        if (address is StoreAddress.FileAddress file)
        {
            return await SqliteTaskStore.CheckAsync(file.Location.Path, deep, cancellationToken);
        }

        var server = (StoreAddress.ServerAddress)address;
        if (deep)
        {
            throw new CliException(ExitCodes.Usage, "--deep is for files; a PostgreSQL server has pg_amcheck.");
        }

        try
        {
            return await PostgreSqlTaskStore.CheckAsync(server.ConnectionString, server.Options, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new CliException(ExitCodes.Usage, e.Message, e);
        }
    }

    private static Func<StoreCheck, bool> Is(StoreCheckResult result) => check => check.Result == result;

    private static Lines Lines(IReadOnlyList<StoreCheck> checks, int width)
    {
        var lines = new Lines();
        var indent = new string(' ', ResultWidth + NameWidth);
        foreach (var check in checks)
        {
            var found = Wrap(check.Found, width);
            lines.Add(
                new TextLine().Add(Word(check.Result).PadRight(ResultWidth), InkOf(check.Result)).Add(check.Name.PadRight(NameWidth), Ink.Strong).Add(found[0]));
            foreach (var rest in found.Skip(1).Concat(check.Advice is { } advice ? Wrap(advice, width) : []))
            {
                lines.Add(indent + rest);
            }
        }

        return lines;
    }

    private static List<string> Wrap(string text, int width) =>
        [.. SafeText.Wrap(SafeText.Line(text), Math.Max(30, width - ResultWidth - NameWidth))];

    private static string Word(StoreCheckResult result) => result switch
    {
        StoreCheckResult.Ok => "ok",
        StoreCheckResult.Warning => "warning",
        _ => "failed",
    };

    private static Style InkOf(StoreCheckResult result) => result switch
    {
        StoreCheckResult.Ok => Ink.Good,
        StoreCheckResult.Warning => Ink.Warn,
        _ => Ink.Bad,
    };

    private static void Write(Utf8JsonWriter writer, StoreAddress address, IReadOnlyList<StoreCheck> checks, int failed, int warnings)
    {
        writer.WriteStartObject();
        writer.WriteString("store", address.Shown);
        writer.WriteNumber("failed", failed);
        writer.WriteNumber("warnings", warnings);
        writer.WriteStartArray("checks");
        foreach (var check in checks)
        {
            writer.WriteStartObject();
            writer.WriteString("name", check.Name);
            writer.WriteString("result", Word(check.Result));
            writer.WriteString("found", check.Found);
            if (check.Advice is { } advice)
            {
                writer.WriteString("advice", advice);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
