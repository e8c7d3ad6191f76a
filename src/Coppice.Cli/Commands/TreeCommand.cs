using System.CommandLine;
using System.Text.Json;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;
using Coppice.Cli.Stores;
using Coppice.Cli.Trees;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice tree</c>: tasks beneath the tasks that spawned them.</summary>
internal sealed class TreeCommand : ICliCommand
{
    private readonly Argument<string?> _id = new("id") { Description = "The task at the top; all trees without it.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool> _all = new("--all", "-a") { Description = "Show every task; otherwise a task shows its first 20 children, those that did not complete before the others." };
    private readonly Option<bool> _json = SharedOptions.Json("Write a JSON array of trees, each an object with its task and its children.");
    private SharedOptions _shared = null!;

    public string Examples => """
        Examples:
          coppice tree                          every tree
          coppice tree bg_0 --all               one tree, whole
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        return new Command("tree", "Show tasks beneath the tasks that spawned them.") { _id, _all, _json };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        await using var reader = await context.Opening(_shared.Address(parsed)).ReadAsync(cancellationToken);
        var forest = await LoadAsync(reader, parsed.GetValue(_id), parsed.GetValue(_json), cancellationToken);
        if (parsed.GetValue(_json))
        {
            context.Console.Out.WriteLine(SafeJson.Write(writer => WriteArray(writer, forest), indented: false));
        }
        else if (forest.Count == 0)
        {
            context.Console.Say("No tasks.");
        }
        else
        {
            context.Console.Show(TreeRendering.Draw(forest, context.Time.GetUtcNow(), parsed.GetValue(_all)));
        }

        return ExitCodes.Success;
    }

    private static async Task<IReadOnlyList<TaskNode>> LoadAsync(TaskReader reader, string? taskId, bool withResults, CancellationToken cancellationToken)
    {
        if (taskId is null)
        {
            return await TaskForest.LoadAsync(reader, withResults, cancellationToken);
        }

        var root = await TaskLookup.RequireAsync(reader, taskId, cancellationToken);
        return [await TaskForest.LoadAsync(reader, root, cancellationToken)];
    }

    private static void WriteArray(Utf8JsonWriter writer, IReadOnlyList<TaskNode> nodes)
    {
        writer.WriteStartArray();
        foreach (var node in nodes)
        {
            writer.WriteStartObject();
            writer.WritePropertyName("task");
            SafeJson.WriteTask(writer, node.Task);
            writer.WritePropertyName("children");
            WriteArray(writer, node.Children);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
