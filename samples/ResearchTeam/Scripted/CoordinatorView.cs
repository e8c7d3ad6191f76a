using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Samples.ResearchTeam;

/// <summary>What a coordinator can know from the messages that it is sent, and from nothing else.</summary>
internal sealed class CoordinatorView
{
    private readonly List<FunctionCallContent> _calls;
    private readonly List<(string Agent, string TaskId)> _tasks = [];
    private readonly Dictionary<string, ToldMail> _ends;
    private readonly string _digest;

    internal CoordinatorView(IReadOnlyList<ChatMessage> messages)
    {
        Question = messages.First(message => message.Role == ChatRole.User && !message.Text.StartsWith('<')).Text;
        _calls = [.. messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>()];
        _ends = ToldMail.In(messages).Where(mail => mail.IsEnd)
            .DistinctBy(mail => mail.TaskId).ToDictionary(mail => mail.TaskId);
        _digest = messages.LastOrDefault(message => message.Text.StartsWith("<background-tasks", StringComparison.Ordinal))?.Text ?? "";
        foreach (var result in messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>())
        {
            Add(result);
        }
    }

    /// <summary>Gets what the user asks.</summary>
    internal string Question { get; }

    /// <summary>Gets the tasks whose end it was not told yet.</summary>
    internal IReadOnlyList<string> Awaited => [.. _tasks.Select(task => task.TaskId).Where(task => !_ends.ContainsKey(task))];

    /// <summary>Gets how its tasks ended, in the order in which they were spawned.</summary>
    internal IEnumerable<(string Agent, ToldMail Mail)> Ends =>
        _tasks.Where(task => _ends.ContainsKey(task.TaskId)).Select(task => (task.Agent, _ends[task.TaskId]));

    internal static IEnumerable<string> AgentsOffered(ChatOptions options) =>
        options.Tools?.OfType<AIFunctionDeclaration>().FirstOrDefault(tool => tool.Name == BackgroundTaskTools.SpawnAgent)?.JsonSchema
            .GetProperty("properties").GetProperty("agent").GetProperty("enum").EnumerateArray().Select(name => name.GetString()!) ?? [];

    internal bool HasCalled(string function) => _calls.Exists(call => call.Name == function);

    /// <summary>The task that an agent was spawned as first.</summary>
    internal string? TaskOf(string agent) => _tasks.Where(task => task.Agent == agent).Select(task => task.TaskId).FirstOrDefault();

    internal bool HasCompleted(string taskId) => _ends.TryGetValue(taskId, out var end) && end.Kind == "completed";

    internal string? FirstResultOf(string agent) => TaskOf(agent) is { } task && HasCompleted(task) ? _ends[task].Text : null;

    /// <summary>The agent's task, when the digest says that it still works.</summary>
    internal string? LiveTaskOf(string agent) => TaskOf(agent) is { } task && _digest.Contains($"\n{task} ", StringComparison.Ordinal) ? task : null;

    /// <summary>A receipt names the task; its call, or the task that it continues, says whose it is.</summary>
    private void Add(FunctionResultContent result)
    {
        if (_calls.Find(call => call.CallId == result.CallId) is not { } call
            || result.Result is not JsonElement { ValueKind: JsonValueKind.Object } receipt || !receipt.TryGetProperty("task_id", out var taskId))
        {
            return;
        }

        if (call.Name == BackgroundTaskTools.SpawnAgent)
        {
            _tasks.Add(($"{call.Arguments!["agent"]}", taskId.GetString()!));
        }
        else if (call.Name == BackgroundTaskTools.ContinueTask)
        {
            var ended = $"{call.Arguments!["task_id"]}";
            _tasks.Add((_tasks.Find(task => task.TaskId == ended).Agent, taskId.GetString()!));
        }
    }
}
