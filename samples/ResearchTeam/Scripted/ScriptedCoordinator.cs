using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>
/// The coordinator's model. It asks every sub-agent that it is offered, waits by ending its turn, tells the critic what was found first,
/// asks the engineer a second question, and reports when it has been told how all of them ended.
/// </summary>
internal sealed class ScriptedCoordinator() : ScriptedModel(TimeSpan.FromMilliseconds(50), TimeProvider.System)
{
    private const string FollowUp = "Which single cause would you remove first?";

    protected override ChatMessage Answer(IReadOnlyList<ChatMessage> messages, ChatOptions options)
    {
        var seen = new CoordinatorView(messages);
        if (!seen.HasCalled(BackgroundTaskTools.SpawnAgent))
        {
            return Calls("I ask the team.", [.. CoordinatorView.AgentsOffered(options).Select(agent => Spawn(agent, seen.Question))]);
        }

        List<AIContent> calls = [];
        if (!seen.HasCalled(BackgroundTaskTools.SendMessage)
            && seen.FirstResultOf("historian") is { } found && seen.LiveTaskOf("critic") is { } critic)
        {
            calls.Add(Message(critic, found));
        }

        if (!seen.HasCalled(BackgroundTaskTools.ContinueTask) && seen.TaskOf("engineer") is { } engineer && seen.HasCompleted(engineer))
        {
            calls.Add(Continue(engineer));
        }

        if (calls.Count > 0)
        {
            return Calls("That deserves a word.", calls);
        }

        return seen.Awaited is { Count: > 0 } awaited
            ? new ChatMessage(ChatRole.Assistant, $"I wait to be told of {string.Join(", ", awaited)}.")
            : new ChatMessage(ChatRole.Assistant, Report(seen));
    }

    private static ChatMessage Calls(string remark, List<AIContent> calls) => new(ChatRole.Assistant, [new TextContent(remark), .. calls]);

    private static FunctionCallContent Spawn(string agent, string question) => Call(
        BackgroundTaskTools.SpawnAgent, ("agent", agent), ("prompt", $"{question} Say how you, as the {agent}, would find out."), ("name", agent));

    private static FunctionCallContent Continue(string taskId) => Call(BackgroundTaskTools.ContinueTask, ("task_id", taskId), ("prompt", FollowUp));

    private static FunctionCallContent Message(string taskId, string found) => Call(
        BackgroundTaskTools.SendMessage,
        ("to", new Dictionary<string, object?> { ["relation"] = "child", ["name"] = taskId }), ("message", $"The historian says: {found}"));

    private static FunctionCallContent Call(string name, params (string Name, object? Value)[] arguments) =>
        new($"call_{Guid.CreateVersion7():N}", name, arguments.ToDictionary(each => each.Name, each => each.Value));

    private static string Report(CoordinatorView seen)
    {
        var report = new StringBuilder($"{seen.Question}\n");
        foreach (var (agent, mail) in seen.Ends)
        {
            var name = mail.Kind == "completed" ? agent : $"{agent} could not answer ({mail.Kind})";
            report.Append(CultureInfo.InvariantCulture, $"\nThe {name}: {mail.Text}\n");
        }

        return report.Append("\nThe voices are scripted; the tasks, their mail and their store are real.").ToString();
    }
}
