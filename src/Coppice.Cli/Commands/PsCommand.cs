using System.CommandLine;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice ps</c>: lists tasks.</summary>
internal sealed class PsCommand : ICliCommand
{
    private const int DefaultLimit = 50;

    private readonly Option<string?> _thread = new("--thread") { Description = "Only tasks of this thread.", HelpName = "id" };
    private readonly Option<TaskState[]> _status = new("--status") { Description = "Only tasks in this state: pending, running, input_required, completed, failed or cancelled. May be given more than once.", HelpName = "state" };
    private readonly Option<string?> _type = new("--type") { Description = "Only tasks of this type.", HelpName = "type" };
    private readonly Option<string?> _name = new("--name") { Description = "Only tasks of exactly this name.", HelpName = "name" };
    private readonly Option<int> _limit = new("--limit", "-n") { Description = "The newest so many, 1 to 1000000.", HelpName = "count", DefaultValueFactory = _ => DefaultLimit };
    private readonly Option<bool> _json = SharedOptions.Json("Write a JSON array of tasks.");

    private SharedOptions _shared = null!;

    public string Examples => """
        Examples:
          coppice ps                            the newest 50 tasks, the newest last
          coppice ps --status running           what runs now
          coppice ps --status failed --status cancelled -n 500
          coppice ps --thread survey --json | jq '.[].task_id'
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        CommandChecks.States(_status);
        CommandChecks.Range(_limit, 1, 1_000_000);
        return new Command("ps", "List tasks, oldest first.") { _thread, _status, _type, _name, _limit, _json };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        await using var reader = await context.Opening(_shared.Address(parsed)).ReadAsync(cancellationToken);
        var (tasks, total) = await NewestAsync(reader, Query(parsed), parsed.GetValue(_limit), cancellationToken);
        if (parsed.GetValue(_json))
        {
            context.Console.Out.WriteLine(SafeJson.Write(writer => WriteArray(writer, tasks), indented: true));
            return ExitCodes.Success;
        }

        if (total == 0)
        {
            context.Console.Say("No tasks.");
            return ExitCodes.Success;
        }

        context.Console.Show(TaskTable.Of(tasks, context.Time.GetUtcNow()).Render(context.Console.Traits.Width));
        if (total > tasks.Count)
        {
            context.Console.Say($"{Amounts.Of(total - tasks.Count, "older task is", "older tasks are")} not shown; --limit shows more.");
        }

        return ExitCodes.Success;
    }

    private TaskQuery Query(ParseResult parsed) => new()
    {
        OwnerThreadId = parsed.GetValue(_thread),
        States = parsed.GetValue(_status) is { Length: > 0 } states ? states : null,
        Type = parsed.GetValue(_type),
        Name = parsed.GetValue(_name),
    };

    private static async Task<(IReadOnlyCollection<TaskSnapshot> Tasks, int Total)> NewestAsync(
        TaskReader reader, TaskQuery query, int limit, CancellationToken cancellationToken)
    {
        var newest = new Queue<TaskSnapshot>();
        var total = 0;
        await foreach (var task in reader.QueryAsync(query, cancellationToken))
        {
            total++;
            newest.Enqueue(task);
            if (newest.Count > limit)
            {
                newest.Dequeue();
            }
        }

        return (newest, total);
    }

    private static void WriteArray(Utf8JsonWriter writer, IEnumerable<TaskSnapshot> tasks)
    {
        writer.WriteStartArray();
        foreach (var task in tasks)
        {
            SafeJson.WriteTask(writer, task);
        }

        writer.WriteEndArray();
    }
}
