using System.CommandLine;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;
using Coppice.PostgreSql;
using Coppice.Sqlite;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice migrate</c>: moves a store from a file to PostgreSQL.</summary>
internal sealed class MigrateCommand : ICliCommand
{
    private static readonly TimeSpan BetweenWords = TimeSpan.FromSeconds(2);

    private readonly Option<string> _from =
        new("--from") { Description = "The file to move from: sqlite:<path>.", HelpName = "store", Required = true };
    private readonly Option<string> _to =
        new("--to") { Description = "The database to move to: postgres:<connection string>.", HelpName = "store", Required = true };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Change nothing: only look whether it could be done, and count." };
    private readonly Option<bool> _json = SharedOptions.Json("Write the counts as a JSON object.");
    private SharedOptions _shared = null!;

    public string Examples => """
        Moves everything: tasks with their ids, results and lineage, work that waits, steps and checkpoints, mail and its
        sequences, conversations, messages on their way. No host may be at work on either side. What a host that died had in
        its hands is settled first, as by the next host: work goes back to be run again, other tasks end as orphaned.

        The database takes all of it in one transaction, which reads everything back and compares it before it commits. The
        schema has to be empty; it is made if need be. The file stays as it is then: keep it, and let no host start on it.
        A password is best kept out of the command line: PGPASSWORD and ~/.pgpass are read.

        Examples:
          coppice migrate --from sqlite:tasks.db --to "postgres:Host=db;Database=app;Username=app" --dry-run
          coppice migrate --from sqlite:tasks.db --to postgres://app@db/app --schema jobs
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        return new Command("migrate", "Move a store from a file to PostgreSQL.") { _from, _to, _dryRun, _json };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var from = _shared.Address(parsed, _from) as StoreAddress.FileAddress
            ?? throw new CliException(ExitCodes.Usage, "--from is to be a file: sqlite:<path>.");
        var to = _shared.Address(parsed, _to) as StoreAddress.ServerAddress
            ?? throw new CliException(ExitCodes.Usage, "--to is to be a PostgreSQL database: postgres:<connection string>.");
        from.Location.RequireExisting();
        var isTrial = parsed.GetValue(_dryRun);

        // The target first: whoever mistyped it has nothing settled in the file yet.
        await using var import = await OpenAsync(to, isTrial, cancellationToken);
        if (await import.ObjectionAsync(cancellationToken) is { } objection)
        {
            throw new CliException(ExitCodes.Failed, objection);
        }

        var tables = isTrial ? Count(context, from) : await CopyAsync(context, from, import, cancellationToken);
        Show(parsed, context, from, to, tables, isTrial);
        return ExitCodes.Success;
    }

    private static async Task<StoreImport> OpenAsync(StoreAddress.ServerAddress to, bool isTrial, CancellationToken cancellationToken)
    {
        try
        {
            return await StoreImport.OpenAsync(to.ConnectionString, to.Options, isTrial, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new CliException(ExitCodes.Usage, e.Message, e);
        }
    }

    private static List<(string Table, long Rows, string Sum)> Count(CommandContext context, StoreAddress.FileAddress from)
    {
        if (StoreExport.HolderOf(from.Location.Path) is { } holder)
        {
            context.Console.Say($"{holder} works on {from.Shown}: it has to stop first.");
        }

        using var export = StoreExport.Open(from.Location.Path);
        return [.. ImportTable.All.Select(table => (table.Name, export.Count(table.Name), ""))];
    }

    private static async Task<IReadOnlyList<(string Table, long Rows, string Sum)>> CopyAsync(
        CommandContext context, StoreAddress.FileAddress from, StoreImport import, CancellationToken cancellationToken)
    {
        // As its one host it settles what a dead one left behind; then it lets go of everything but the lock.
        await using var host = await context.Opening(from).HostAsync(cancellationToken);
        await host.Manager.DisposeAsync();
        using var export = StoreExport.Open(from.Location.Path);
        if (export.CountHeld() is > 0 and var held)
        {
            throw new CliException(
                ExitCodes.Failed,
                $"{Amounts.Of(held, "task or message is", "tasks or messages are")} still in the hands of a host. Run 'coppice doctor --store {from.Shown}'.");
        }

        var said = context.Time.GetTimestamp();
        return await import.RunAsync(export.Rows, export.NextOf, Tell, cancellationToken);

        void Tell(string table, long rows)
        {
            if (context.Time.GetElapsedTime(said) > BetweenWords)
            {
                said = context.Time.GetTimestamp();
                context.Console.Say(rows > 0 ? $"{table}: {Amounts.Of(rows, "row")} …" : $"{table} …");
            }
        }
    }

    private void Show(
        ParseResult parsed, CommandContext context, StoreAddress from, StoreAddress to, IReadOnlyList<(string Table, long Rows, string Sum)> tables, bool isTrial)
    {
        if (parsed.GetValue(_json))
        {
            context.Console.Out.WriteLine(SafeJson.Write(writer => Write(writer, from, to, tables, isTrial), indented: true));
            return;
        }

        var table =
            new TextTable(new TextColumn("table"), new TextColumn("rows") { RightAligned = true }, new TextColumn(isTrial ? "" : "sum, on both sides"));
        foreach (var (name, rows, sum) in tables)
        {
            table.AddRow((name, Ink.Plain), (Amounts.Count(rows), Ink.Plain), (sum, Ink.Faint));
        }

        context.Console.Show(table.Render(context.Console.Traits.Width));
        var tasks = Amounts.Of(tables.First(one => one.Table == "tasks").Rows, "task");
        context.Console.Say(isTrial
            ? $"{tasks} would be moved from {from.Shown} to {to.Shown}. Nothing was changed."
            : $"{tasks} moved from {from.Shown} to {to.Shown}; everything was read back and is the same. Let hosts start there, and none on the file.");
    }

    private static void Write(
        Utf8JsonWriter writer, StoreAddress from, StoreAddress to, IReadOnlyList<(string Table, long Rows, string Sum)> tables, bool isTrial)
    {
        writer.WriteStartObject();
        writer.WriteString("from", from.Shown);
        writer.WriteString("to", to.Shown);
        writer.WriteBoolean("dry_run", isTrial);
        writer.WriteStartObject("rows");
        foreach (var (name, rows, _) in tables)
        {
            writer.WriteNumber(name, rows);
        }

        writer.WriteEndObject();
        if (!isTrial)
        {
            writer.WriteStartObject("sums");
            foreach (var (name, _, sum) in tables)
            {
                writer.WriteString(name, sum);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }
}
