namespace Microsoft.Extensions.AI;

/// <summary>Calls functions as Microsoft's client of this name does: until the model asks for none, inside one call from above.</summary>
public sealed class FunctionInvokingChatClient(IChatClient innerClient) : DelegatingChatClient(innerClient)
{
    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var history = messages.ToList();
        var produced = new List<ChatMessage>();
        while (true)
        {
            var response = await base.GetResponseAsync(history, options, cancellationToken);
            produced.AddRange(response.Messages);
            var calls = response.Messages.SelectMany(m => m.Contents).OfType<FunctionCallContent>().Where(c => !c.InformationalOnly).ToList();
            if (calls.Count == 0)
            {
                return new ChatResponse(produced);
            }

            var results = new ChatMessage(ChatRole.Tool, []);
            foreach (var call in calls)
            {
                var function = options!.Tools!.OfType<AIFunction>().First(f => f.Name == call.Name);
                var result = await function.InvokeAsync(new AIFunctionArguments(call.Arguments), cancellationToken);
                results.Contents.Add(new FunctionResultContent(call.CallId, result));
                call.InformationalOnly = true;
            }

            produced.Add(results);
            history.AddRange(response.Messages);
            history.Add(results);
        }
    }
}
