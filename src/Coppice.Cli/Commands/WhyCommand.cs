using System.CommandLine;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;
using Coppice.Cli.Trees;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice why</c>: how a task came about and how it ended, in sentences.</summary>
internal sealed class WhyCommand : ICliCommand
{
    private const int MaxWaitingFor = 20;

    private readonly Argument<string> _id = TaskLookup.Argument("The task's id, such as bg_7.");
    private readonly Option<bool> _json = SharedOptions.Json("Write the task, its lineage and the sentences as one JSON object.");
    private SharedOptions _shared = null!;

    public string Examples => """
        Tells who spawned a task, what was asked of it, by whom it was cancelled, refused or orphaned, how it ended,
        and what it waits for.

        Examples:
          coppice why bg_7
          coppice why bg_7 --json | jq -r '.sentences[]'
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        return new Command("why", "Tell in sentences how a task came about, and how it ended.") { _id, _json };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        await using var reader = await context.Opening(_shared.Address(parsed)).ReadAsync(cancellationToken);
        var task = await TaskLookup.RequireAsync(reader, parsed.GetValue(_id)!, cancellationToken);
        var lineage = await reader.LineageAsync(task, cancellationToken);
        var canceller = task.CancelledBy is { } by && by.StartsWith("tree:", StringComparison.Ordinal)
            ? await reader.GetAsync(by["tree:".Length..], cancellationToken)
            : null;
        var waitsFor = await WaitsForAsync(reader, task, cancellationToken);
        var sentences = new TaskStory(task, lineage, canceller, waitsFor, context.Time).Tell().ToList();

        if (parsed.GetValue(_json))
        {
            context.Console.Out.WriteLine(SafeJson.Write(writer => Write(writer, task, lineage, waitsFor, sentences), indented: true));
        }
        else
        {
            context.Console.Tell(sentences);
        }

        return ExitCodes.Success;
    }

    private static async Task<IReadOnlyList<TaskSnapshot>> WaitsForAsync(TaskReader reader, TaskSnapshot task, CancellationToken cancellationToken)
    {
        var live = new List<TaskSnapshot>();
        if (task.State.IsTerminal())
        {
            return live;
        }

        await foreach (var child in reader.ChildrenAsync(task.TaskId, cancellationToken))
        {
            if (!child.State.IsTerminal() && live.Count < MaxWaitingFor)
            {
                live.Add(child);
            }
        }

        return live;
    }

    private static void Write(
        Utf8JsonWriter writer, TaskSnapshot task, IReadOnlyList<TaskSnapshot> lineage, IReadOnlyList<TaskSnapshot> waitsFor, IReadOnlyList<string> sentences)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("task");
        SafeJson.WriteTask(writer, task);
        WriteIds(writer, "lineage", lineage.Skip(1));
        WriteIds(writer, "live_children", waitsFor);
        writer.WriteStartArray("sentences");
        foreach (var sentence in sentences)
        {
            writer.WriteStringValue(sentence);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteIds(Utf8JsonWriter writer, string name, IEnumerable<TaskSnapshot> tasks)
    {
        writer.WriteStartArray(name);
        foreach (var task in tasks)
        {
            writer.WriteStringValue(task.TaskId);
        }

        writer.WriteEndArray();
    }
}
