using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>What a sub-agent's task does.</summary>
internal sealed class ChatAgentBody(ChatAgent agent, string prompt)
{
    private const int MaxCorrections = 2;

    private readonly BackgroundTaskChatClientOptions _options = TurnOptions(agent);

    internal async Task<TaskOutcome> RunAsync(AgentTaskContext context)
    {
        try
        {
            return await TalkAsync(context).ConfigureAwait(false);
        }
        catch (Exception)
        {
            await CancelOwnTasksAsync(context).ConfigureAwait(false);
            throw;
        }
    }

    private static BackgroundTaskChatClientOptions TurnOptions(ChatAgent agent)
    {
        var options = agent.TurnOptions?.Clone() ?? new();
        options.AgentId = agent.Name;
        options.WhenTasksRemain = WhenTasksRemain.Wait;
        options.Validate();
        return options;
    }

    private async ValueTask<TaskOutcome> TalkAsync(AgentTaskContext context)
    {
        var stop = context.CancellationToken;
        var (messages, entries) = await AgentConversation.ReadAsync(context.Manager, context.ThreadId, stop).ConfigureAwait(false);
        var maxEntry = context.Manager.MaxConversationEntryBytes;
        var log = new ConversationLog(context.Inbox, entries, maxEntry, context.Manager.TimeProvider);
        var user = new ChatMessage(ChatRole.User, prompt);
        JsonElement[] opening = entries == 0
            ? [AgentConversation.Head(agent.Name), AgentConversation.Write(user, maxEntry)]
            : [AgentConversation.Write(user, maxEntry)];
        await log.KeepAsync(opening, 0, stop).ConfigureAwait(false);
        messages.Add(user);

        var run = AgentRun.Over(context, _options.RunOptions());
        await using (run.ConfigureAwait(false))
        {
            return await AnswerAsync(context, run, log, messages).ConfigureAwait(false);
        }
    }

    /// <summary>Talks until there is a result of the form that was asked for.</summary>
    private async ValueTask<TaskOutcome> AnswerAsync(AgentTaskContext context, AgentRun run, ConversationLog log, List<ChatMessage> messages)
    {
        var stop = context.CancellationToken;
        for (var corrections = 0; ; corrections++)
        {
            var last = await RunTurnAsync(context, run, log, messages, stop).ConfigureAwait(false);
            if (agent.ResultSchema is null)
            {
                return TaskOutcome.Success(JsonSerializer.SerializeToElement(last, AgentsJson.Default.String));
            }

            var (result, fault) = ReadResult(last);
            if (fault is null)
            {
                return TaskOutcome.Success(result);
            }

            if (corrections == MaxCorrections)
            {
                return TaskOutcome.Failure($"The agent's answer does not follow its schema: {fault}");
            }

            var correction = new ChatMessage(ChatRole.User, $"Your answer is not a JSON value of the schema that was asked for: {fault} Answer again, with the JSON alone.");
            await log.KeepAsync([correction], 0, stop).ConfigureAwait(false);
            messages.Add(correction);
        }
    }

    /// <summary>One turn. What is said in it is added to the messages.</summary>
    /// <returns>The model's last text.</returns>
    private async ValueTask<string> RunTurnAsync(
        AgentTaskContext context, AgentRun run, ConversationLog log, List<ChatMessage> messages, CancellationToken stop)
    {
        var turn = new ChatTurn(run, _options, messages, ChatOptionsFor(context), _options.InvokeFunctions ?? !FunctionInvokers.IsIn(agent.Client), stop, log.KeepAsync);
        do
        {
            var call = await turn.NextCallAsync().ConfigureAwait(false);
            await turn.AnswerAsync(await call.AskAsync(agent.Client, run).ConfigureAwait(false)).ConfigureAwait(false);
            if (!turn.GoesOn)
            {
                // From here on who writes is told that nobody reads; what came before that is still answered.
                context.CloseInbox();
                await turn.LookOnceMoreAsync().ConfigureAwait(false);
            }
        }
        while (turn.GoesOn);

        var response = turn.ToResponse();
        stop.ThrowIfCancellationRequested();
        messages.AddRange(response.Messages);
        if (FunctionCalls.Open(response.Messages).Count > 0)
        {
            throw new InvalidOperationException(
                "The model asked for functions that nobody here can call, or for more rounds of them than MaxFunctionRounds allows.");
        }

        return response.Messages.LastOrDefault(message => message.Role == ChatRole.Assistant)?.Text ?? "";
    }

    private ChatOptions ChatOptionsFor(AgentTaskContext context)
    {
        var options = agent.Options?.Clone() ?? new ChatOptions();
        options.Instructions = agent.Instructions ?? options.Instructions;
        options.Tools = [.. agent.Tools];
        if (agent.HasTaskTools)
        {
            var tools = BackgroundTaskTools.For(
                context.Manager, context.ThreadId, new BackgroundTaskToolOptions { AgentId = agent.Name, Agents = agent.Agents });
            foreach (var tool in tools)
            {
                options.Tools.Add(tool);
            }
        }

        if (agent.ResultSchema is { } schema)
        {
            options.ResponseFormat = ChatResponseFormat.ForJsonSchema(schema, "result");
        }

        return options;
    }

    private (JsonElement Result, string? Fault) ReadResult(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var result = document.RootElement.Clone();
            return (result, agent.FindFault?.Invoke(result));
        }
        catch (JsonException e)
        {
            return (default, e.Message);
        }
    }

    /// <summary>A sub-agent that was cancelled or failed takes its own tasks with it. A shutdown is neither: they end with the host.</summary>
    private static async ValueTask CancelOwnTasksAsync(AgentTaskContext context)
    {
        try
        {
            var isSignalled = context.CancellationToken.IsCancellationRequested;
            var task = isSignalled ? await context.Manager.GetAsync(context.TaskId, CancellationToken.None).ConfigureAwait(false) : null;
            if (!isSignalled || task?.CancelRequestedAt is not null)
            {
                await context.Manager.CancelThreadAsync(context.ThreadId, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is TaskStoreException or ObjectDisposedException)
        {
            // What the agent failed of is what its owner is told; its tasks end with the host, or with the next cancel of the tree.
        }
    }
}
