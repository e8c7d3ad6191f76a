using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Workloads;

/// <summary>
/// A model that asks for its background work once and takes what it is told, or, where it polls, asks with each call what still runs, and reads
/// the results of what has ended. Each call takes it two seconds by its clock.
/// </summary>
internal sealed class CoordinatorModel(TimeProvider time, IReadOnlyList<int> seconds, ModelTally tally, bool polls = false) : IChatClient
{
    internal static readonly TimeSpan Thinking = TimeSpan.FromSeconds(2);

    private bool _wasCalled;
    private int _callIds;

    /// <summary>Gets or sets what happens in the moment in which the model has answered.</summary>
    internal Action? Answered { get; set; }

    /// <summary>Gets or sets what makes the ids of its calls its own, where several models share a conversation.</summary>
    internal string CallPrefix { get; set; } = "call";

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var sent = messages.ToList();
        await Task.Delay(Thinking, time, cancellationToken);
        tally.Answered(sent, !_wasCalled);
        _wasCalled = true;
        Answered?.Invoke();
        return new ChatResponse(Answer(sent));
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
        {
            yield return update;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }

    private ChatMessage Answer(List<ChatMessage> sent)
    {
        var results = sent.SelectMany(message => message.Contents).OfType<FunctionResultContent>().ToList();
        if (results.Count == 0)
        {
            return Calls(seconds.Select(each => Call("crawl", (TimedWork.Seconds, each))));
        }

        return polls ? Poll(sent, results) : new ChatMessage(ChatRole.Assistant, "Noted.");
    }

    /// <summary>Lists what runs, and reads what does not run any more, until all has been read.</summary>
    private ChatMessage Poll(List<ChatMessage> sent, List<FunctionResultContent> results)
    {
        var calls = sent.SelectMany(message => message.Contents).OfType<FunctionCallContent>().ToDictionary(call => call.CallId);
        if (ResultsOf("list_tasks").LastOrDefault() is not { ValueKind: JsonValueKind.Object } list)
        {
            return Calls([Call("list_tasks")]);
        }

        var live = list.GetProperty("tasks").EnumerateArray().Select(IdOf).ToList();
        var unread = ResultsOf("crawl").Select(IdOf).Except(live).Except(ResultsOf("get_task").Select(IdOf)).ToList();
        var next = unread.ConvertAll(task => Call("get_task", ("task_id", task)));
        if (live.Count > 0)
        {
            next.Add(Call("list_tasks"));
        }

        return next.Count > 0 ? Calls(next) : new ChatMessage(ChatRole.Assistant, "Noted.");

        IEnumerable<JsonElement> ResultsOf(string function) =>
            results.Where(result => calls[result.CallId].Name == function).Select(result => (JsonElement)result.Result!);
    }

    private static string IdOf(JsonElement task) => task.GetProperty("task_id").GetString()!;

    private static ChatMessage Calls(IEnumerable<AIContent> calls) => new(ChatRole.Assistant, [.. calls]);

    private FunctionCallContent Call(string name, params (string Name, object Value)[] arguments) =>
        new($"{CallPrefix}-{_callIds++}", name, arguments.ToDictionary(each => each.Name, object? (each) => each.Value));
}
