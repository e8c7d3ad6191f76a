using System.CommandLine;
using System.CommandLine.Parsing;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice prune</c>: forgets old tasks.</summary>
internal sealed class PruneCommand : ICliCommand
{
    private readonly Option<TimeSpan> _olderThan = new("--older-than")
    {
        Description = $"Forget tasks that ended longer ago than this: {Durations.Form}.",
        HelpName = "duration",
        Required = true,
        CustomParser = ParseDuration,
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only say how many tasks that would be." };
    private readonly Option<bool> _json = SharedOptions.Json("Write the counts as a JSON object.");
    private SharedOptions _shared = null!;

    public string Examples => """
        Tasks that have a live descendant stay. Ids are not used again. No other process may be working on a file;
        --dry-run does not mind, nor does PostgreSQL.

        Examples:
          coppice prune --older-than 7d --dry-run
          coppice prune --older-than 12h
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        return new Command("prune", "Forget tasks that ended a while ago.") { _olderThan, _dryRun, _json };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        var address = _shared.Address(parsed);
        (address as StoreAddress.FileAddress)?.Location.RequireExisting();
        var age = parsed.GetValue(_olderThan);
        var dryRun = parsed.GetValue(_dryRun);
        var count = dryRun
            ? await CountAsync(context, address, age, cancellationToken)
            : await PruneAsync(context, address, age, cancellationToken);

        if (parsed.GetValue(_json))
        {
            context.Console.Out.WriteLine(SafeJson.Write(
                writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("pruned", dryRun ? 0 : count);
                    writer.WriteNumber("would_prune", count);
                    writer.WriteBoolean("dry_run", dryRun);
                    writer.WriteEndObject();
                },
                indented: false));
            return ExitCodes.Success;
        }

        context.Console.Out.WriteLine(dryRun ? $"{Amounts.Of(count, "task")} would be forgotten." : $"{Amounts.Of(count, "task")} forgotten.");
        return ExitCodes.Success;
    }

    private static TimeSpan ParseDuration(ArgumentResult result)
    {
        if (!Durations.TryParse(result.Tokens.Count == 0 ? "" : result.Tokens[0].Value, out var duration, out var error))
        {
            result.AddError($"--older-than: {error}");
        }

        return duration;
    }

    private static async Task<int> PruneAsync(CommandContext context, StoreAddress address, TimeSpan age, CancellationToken cancellationToken)
    {
        await using var host = await context.Opening(address).HostAsync(cancellationToken);
        return await host.Manager.PruneAsync(age, cancellationToken);
    }

    private static async Task<int> CountAsync(CommandContext context, StoreAddress address, TimeSpan age, CancellationToken cancellationToken)
    {
        await using var reader = await context.Opening(address).ReadAsync(cancellationToken);
        var kept = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var live in reader.LiveAsync(cancellationToken))
        {
            foreach (var above in await reader.LineageAsync(live, cancellationToken))
            {
                kept.Add(above.TaskId);
            }
        }

        var endedBefore = context.Time.GetUtcNow() - age;
        var count = 0;
        await foreach (var task in reader.QueryAsync(new TaskQuery(), cancellationToken))
        {
            count += task.CompletedAt < endedBefore && !kept.Contains(task.TaskId) ? 1 : 0;
        }

        return count;
    }
}
