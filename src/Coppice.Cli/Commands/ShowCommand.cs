using System.CommandLine;
using Coppice.Cli.CommandLine;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Commands;

/// <summary><c>coppice show</c>: everything stored about one task.</summary>
internal sealed class ShowCommand : ICliCommand
{
    private const int MaxResultLines = 200;

    private readonly Argument<string> _id = TaskLookup.Argument("The task's id, such as bg_7.");
    private readonly Option<bool> _json = SharedOptions.Json("Write the task as one JSON object, in the form of an export.");
    private SharedOptions _shared = null!;

    public string Examples => """
        Examples:
          coppice show bg_0
          coppice show bg_0 --json | jq .result
        """;

    public Command Define(SharedOptions shared)
    {
        _shared = shared;
        return new Command("show", "Show everything that is stored about one task.") { _id, _json };
    }

    public async Task<int> RunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        await using var reader = await context.Opening(_shared.Address(parsed)).ReadAsync(cancellationToken);
        var task = await TaskLookup.RequireAsync(reader, parsed.GetValue(_id)!, cancellationToken);
        if (parsed.GetValue(_json))
        {
            context.Console.Out.WriteLine(SafeJson.OfTask(task));
        }
        else
        {
            context.Console.Show(Draw(task, context.Time));
        }

        return ExitCodes.Success;
    }

    private static Lines Draw(TaskSnapshot task, TimeProvider time)
    {
        var now = time.GetUtcNow();
        var lines = new Lines();
        Field(lines, "id", task.TaskId);
        Field(lines, "name", task.Name);
        Field(lines, "type", task.Type);
        lines.Add(Label("status").Add(TaskText.State(task), Ink.Of(task)));
        Field(lines, "thread", task.OwnerThreadId);
        Field(lines, "about", task.Description);
        Field(lines, "created", $"{TaskText.Moment(task.CreatedAt, time)} ({Durations.Age(now - task.CreatedAt)} ago)");
        Field(lines, "ended", task.CompletedAt is { } end ? TaskText.Moment(end, time) : null);
        Field(lines, task.CompletedAt is null ? "runs for" : "took", Durations.Show((task.CompletedAt ?? now) - task.CreatedAt));
        Field(lines, "cancel asked", task.CancelRequestedAt is { } asked ? $"{TaskText.Moment(asked, time)} by {task.CancelledBy}" : null);
        Field(lines, "continues", task.Continues);
        Field(lines, "agent thread", task.AgentThreadId);
        Field(lines, "notify", task.Notify == NotifyPolicy.DoneOnly ? null : task.Notify.ToWireName());
        Field(lines, "parent task", task.Lineage.TaskId);
        Field(lines, "run", task.Lineage.RunId);
        Field(lines, "call", task.Lineage.CallId);
        Field(lines, "agent", task.Lineage.AgentId);
        if (task.Work is { } work)
        {
            DrawWork(lines, work, time);
        }

        Block(lines, "error", task.Error);
        Block(lines, "result", task.Result is { } result ? SafeJson.Write(result.WriteTo, indented: true) : null);
        return lines;
    }

    private static void DrawWork(Lines lines, TaskWork work, TimeProvider time)
    {
        Field(lines, "kind", work.Version == 1 ? work.Kind : $"{work.Kind}, version {work.Version}");
        Field(lines, "attempts", TaskText.Attempts(work));
        Field(lines, "after crash", TaskText.Recovery(work.Recovery));
        Field(lines, "priority", work.Priority == 0 ? null : $"{work.Priority}");
        Field(lines, "due", work.DueAt is { } due ? TaskText.Moment(due, time) : null);
        Field(lines, "deadline", work.Deadline is { } deadline ? TaskText.Moment(deadline, time) : null);
        Field(lines, "key", work.IdempotencyKey);
        Field(lines, "last failure", work.LastError);
        Block(lines, "input", SafeJson.Write(work.Input.WriteTo, indented: true));
    }

    private static TextLine Label(string name) => new TextLine().Add(name.PadRight(14), Ink.Faint);

    private static void Field(Lines lines, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            lines.Add(Label(name).Add(SafeText.Line(value, 2000)));
        }
    }

    private static void Block(Lines lines, string name, string? text)
    {
        if (text is null)
        {
            return;
        }

        var shown = 0;
        foreach (var line in SafeText.Block(text))
        {
            if (shown == MaxResultLines)
            {
                lines.Add(Label("").Add("… --json shows all of it", Ink.Faint));
                return;
            }

            lines.Add(Label(shown++ == 0 ? name : "").Add(line));
        }
    }
}
