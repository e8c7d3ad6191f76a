using Microsoft.Extensions.AI;

namespace Coppice.Workloads;

/// <summary>The loop that an agent has without being told: it calls the functions that the model asks for until it asks for none.</summary>
internal static class PollingLoop
{
    internal static async Task RunAsync(IChatClient model, string question, IReadOnlyList<AIFunction> tools)
    {
        List<ChatMessage> messages = [new(ChatRole.User, question)];
        while (true)
        {
            var response = await model.GetResponseAsync(messages);
            messages.AddRange(response.Messages);
            var calls = response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>().ToList();
            if (calls.Count == 0)
            {
                return;
            }

            var results = new List<AIContent>();
            foreach (var call in calls)
            {
                var tool = tools.First(tool => tool.Name == call.Name);
                results.Add(new FunctionResultContent(call.CallId, await tool.InvokeAsync(new AIFunctionArguments(call.Arguments))));
            }

            messages.Add(new ChatMessage(ChatRole.Tool, results));
        }
    }
}
