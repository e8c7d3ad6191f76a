using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Coppice.StoreContract;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests.SubAgents;

/// <summary>Hosts on one store that have the same agent, whose model answers by what has been said, wherever it is asked.</summary>
internal sealed partial class DurableTeam : IAsyncDisposable
{
    internal const string Owner = "chat-1";

    private readonly InMemoryTaskStore _store = new();
    private readonly List<BackgroundTaskManager> _managers = [];

    /// <summary>What the model says, by how often it has answered.</summary>
    internal List<Func<ScriptedChatClient.Call, Task<ChatMessage>>> Script { get; } = [];

    /// <summary>Which answers were paid for.</summary>
    internal ConcurrentQueue<int> Paid { get; } = new();

    /// <summary>What the model was sent with its last call.</summary>
    internal ConcurrentQueue<ScriptedChatClient.Call> Calls { get; } = new();

    /// <summary>Which calls were made of functions that must not be called twice.</summary>
    internal ConcurrentQueue<string> Made { get; } = new();

    internal List<AITool> Tools { get; } = [];

    internal Func<ChatAgent, ChatAgent> Change { get; set; } = static agent => agent;

    internal ChatAgentTaskOptions TaskOptions { get; set; } = new();

    internal ManualClock Clock { get; } = new();

    internal ITaskStore Store => _store;

    internal static TaskKind<string, string> Crawl { get; } = new("crawl", TeamJson.Default.String, TeamJson.Default.String)
    {
        Description = "Reads a page.",
        Recovery = RecoveryPolicy.Resumable,
    };

    internal Func<string, DurableTaskContext, Task<string>> OnCrawl { get; set; } = static (page, _) => Task.FromResult($"read {page}");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    internal DurableTeam Says(string text) => Does(_ => Task.FromResult(new ChatMessage(ChatRole.Assistant, text)));

    internal DurableTeam Asks(params (string CallId, string Name, string Arguments)[] calls) => Does(_ => Task.FromResult(Asking(calls)));

    internal DurableTeam Does(Func<ScriptedChatClient.Call, Task<ChatMessage>> step)
    {
        Script.Add(step);
        return this;
    }

    internal static ChatMessage Asking(params (string CallId, string Name, string Arguments)[] calls) => new(
        ChatRole.Assistant, [.. calls.Select(call => new FunctionCallContent(call.CallId, call.Name, ToolCalls.Arguments(call.Arguments)))]);

    /// <summary>The agent, as each process makes it anew.</summary>
    internal ChatAgent NewAgent(string name = "worker") => Change(new ChatAgent(name, new Model(this)) { Tools = Tools, TaskOptions = TaskOptions });

    /// <summary>Starts a host with the agent.</summary>
    internal async Task<(BackgroundTaskManager Manager, ChatAgent Agent)> StartAsync(
        string host, ITaskStore? store = null, Action<BackgroundTaskOptions>? configure = null)
    {
        var agent = NewAgent();
        var manager = await StartHostAsync(host, store, options =>
        {
            options.Tasks.AddAgent(agent);
            options.Tasks.Add(Crawl, (page, context) => OnCrawl(page, context));
            configure?.Invoke(options);
        });
        return (manager, agent);
    }

    /// <summary>Starts a host that has no agents.</summary>
    internal async Task<BackgroundTaskManager> StartHostAsync(string host, ITaskStore? store = null, Action<BackgroundTaskOptions>? configure = null)
    {
        var options = new BackgroundTaskOptions { TimeProvider = Clock, HostName = host, HostTimeout = TimeSpan.FromHours(10) };
        configure?.Invoke(options);
        var manager = await BackgroundTaskManager.StartAsync(store ?? _store, options, Stop);
        if (store is null)
        {
            _managers.Add(manager);
        }

        return manager;
    }

    /// <summary>A host dies, as far as the store can tell.</summary>
    internal async Task GiveUpAsync(string host)
    {
        var reaper = await StoreHost.JoinAsync(_store, "reaper");
        foreach (var status in await _store.HeartbeatAsync(reaper.Fence, Stop))
        {
            if (status.Fence.HostId == host)
            {
                await reaper.AnswerAsync(new SettleHost(status.Fence));
            }
        }

        await reaper.AnswerAsync(new LeaveHost());
    }

    /// <summary>What is kept of an agent's conversation.</summary>
    internal async Task<List<ChatMessage>> ReadAsync(BackgroundTaskManager manager, string taskId) =>
        (await AgentConversation.ReadAsync(manager, (await manager.GetAsync(taskId, Stop))!.AgentThreadId!, Stop)).Messages;

    public async ValueTask DisposeAsync()
    {
        foreach (var manager in _managers)
        {
            await manager.DisposeAsync();
        }

        await _store.DisposeAsync();
    }

    private sealed class Model(DurableTeam team) : IChatClient
    {
        public async Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var call = new ScriptedChatClient.Call([.. messages], options, cancellationToken);
            AssertIsWellFormed(call.Messages);
            var answered = call.Messages.Count(static message => message.Role == ChatRole.Assistant);
            Assert.True(answered < team.Script.Count, "The model was called more often than the script says:\n" + call.Text);
            var answer = await team.Script[answered](call);
            team.Calls.Enqueue(call);
            team.Paid.Enqueue(answered);
            return new ChatResponse(answer);
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }

        /// <summary>As services demand it: each call has one result, in the message after it.</summary>
        private static void AssertIsWellFormed(IReadOnlyList<ChatMessage> messages)
        {
            for (var i = 0; i < messages.Count; i++)
            {
                string[] asked = [.. messages[i].Contents.OfType<FunctionCallContent>().Select(call => call.CallId).Order()];
                if (asked.Length > 0)
                {
                    Assert.True(i + 1 < messages.Count && messages[i + 1].Role == ChatRole.Tool, "Calls have no results.");
                    Assert.Equal(asked, messages[i + 1].Contents.OfType<FunctionResultContent>().Select(result => result.CallId).Order());
                }
            }
        }
    }

    internal sealed record Verdict(int Score);

    [JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
    [JsonSerializable(typeof(string))]
    [JsonSerializable(typeof(Verdict))]
    internal sealed partial class TeamJson : JsonSerializerContext;
}
