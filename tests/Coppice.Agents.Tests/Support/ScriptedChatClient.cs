using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

/// <summary>A model that answers by script, one step a call, and keeps what it was sent. Streams its answers word by word when asked to stream.</summary>
internal sealed class ScriptedChatClient(params ScriptedChatClient.Step[] steps) : IChatClient
{
    private readonly Queue<Step> _steps = new(steps);
    private readonly Lock _lock = new();

    /// <summary>What the model does with one call.</summary>
    internal delegate ValueTask<ChatResponse> Step(Call call);

    internal sealed record Call(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options, CancellationToken CancellationToken)
    {
        internal string Text => string.Join('\n', Messages.Select(message => message.Text));

        /// <summary>Everything in the call that is ours and not the application's.</summary>
        internal string InternalText =>
            string.Join('\n', Messages.Where(m => m.AdditionalProperties?.ContainsKey("internal") == true).Select(m => m.Text));
    }

    internal List<Call> Calls { get; } = [];

    internal ScriptedChatClient Then(Step step)
    {
        lock (_lock)
        {
            _steps.Enqueue(step);
        }

        return this;
    }

    internal ScriptedChatClient Says(string text) => Then(_ => new(new ChatResponse(new ChatMessage(ChatRole.Assistant, text))));

    internal ScriptedChatClient Asks(string name, Dictionary<string, object?>? arguments = null) => Then(_ => new(Asking(("c0", name, arguments ?? []))));

    /// <summary>An answer that asks for functions.</summary>
    internal static ChatResponse Asking(params (string CallId, string Name, Dictionary<string, object?> Arguments)[] calls) => new(new ChatMessage(
        ChatRole.Assistant, [.. calls.Select(call => new FunctionCallContent(call.CallId, call.Name, call.Arguments))]))
    {
        FinishReason = ChatFinishReason.ToolCalls,
    };

    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = new Call([.. messages], options, cancellationToken);
        Step step;
        lock (_lock)
        {
            Calls.Add(call);
            Assert.True(_steps.TryDequeue(out step!), "The model was called more often than the script says:\n" + call.Text);
        }

        return await step(call);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken);
        foreach (var update in response.ToChatResponseUpdates())
        {
            if (update.Contents is [TextContent { Text: var text }])
            {
                foreach (var word in text.Split(' '))
                {
                    yield return new ChatResponseUpdate(update.Role, word == text.Split(' ')[0] ? word : " " + word) { MessageId = update.MessageId ?? "m" };
                }
            }
            else
            {
                yield return update;
            }
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }
}
