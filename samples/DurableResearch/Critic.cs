using System.ComponentModel;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice.Samples.DurableResearch;

/// <summary>The sub-agent: its model asks a tool about the findings, and gives its verdict.</summary>
internal static class Critic
{
    internal const string Name = "critic";

    internal static ChatAgent Create(IServiceProvider services)
    {
        var sources = services.GetRequiredService<Sources>();
        var ledger = services.GetRequiredService<Ledger>();
        return new ChatAgent(Name, new ScriptedCritic(sources, ledger))
        {
            Description = "Says what is doubtful about findings.",
            Instructions = "Check the findings with check_sources, then give your verdict in one sentence.",
            HasTaskTools = false,
            Tools = [AIFunctionFactory.Create(CheckAsync, "check_sources", "Counts the sources of the findings.")],
            TaskOptions = new() { MaxCrashes = 1_000 },
        };

        Task<string> CheckAsync([Description("How many findings there are.")] int findings, CancellationToken cancellationToken) =>
            sources.PayAsync("check sources", () => $"{findings * 2} sources", cancellationToken);
    }

    /// <summary>A model without a network: what it answers follows from what it is sent.</summary>
    private sealed class ScriptedCritic(Sources sources, Ledger ledger) : IChatClient
    {
        public async Task<ChatResponse> GetResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var contents = messages.SelectMany(message => message.Contents).ToList();
            if (contents.OfType<FunctionResultContent>().FirstOrDefault() is not { } checkedSources)
            {
                var call = new FunctionCallContent("call-1", "check_sources", new Dictionary<string, object?> { ["findings"] = 3 });
                return await AnswerAsync("question of the critic", call);
            }

            ledger.Have("question of the critic");
            return await AnswerAsync("answer of the critic", new TextContent($"plausible, though it rests on {checkedSources.Result}."));

            Task<ChatResponse> AnswerAsync(string what, AIContent content) =>
                sources.PayAsync(what, () => new ChatResponse(new ChatMessage(ChatRole.Assistant, [content])), cancellationToken);
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            {
                yield return update;
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceKey is null && serviceType.IsInstanceOfType(this) ? this : null;

        public void Dispose()
        {
        }
    }
}
