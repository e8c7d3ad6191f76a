using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>What a sub-agent's task does. An attempt begins with what is kept of the conversation, and so goes on where the one before was cut off.</summary>
internal sealed class ChatAgentBody
{
    private const int MaxCorrections = 2;

    private readonly ChatAgent _agent;
    private readonly string _prompt;
    private readonly BackgroundTaskChatClientOptions _options;

    internal ChatAgentBody(ChatAgent agent, string prompt, IServiceProvider? services = null)
    {
        _agent = agent;
        _prompt = prompt;
        _options = agent.TurnOptions?.Clone() ?? new();
        _options.AgentId = agent.Name;
        _options.WhenTasksRemain = WhenTasksRemain.Wait;
        _options.Services ??= services;
        _options.Validate();
    }

    /// <summary>Runs as a task that ends with its host.</summary>
    internal async Task<TaskOutcome> RunAsync(AgentTaskContext context)
    {
        try
        {
            return TaskOutcome.Success(await TalkAsync(context, null).ConfigureAwait(false));
        }
        catch (Exception)
        {
            await OwnTasks.CancelAsync(context).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs as an attempt at a task of the agent's kind.</summary>
    internal async Task<JsonElement> RunAsync(DurableTaskContext context)
    {
        try
        {
            return await TalkAsync(context.Agent!, context).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await OwnTasks.CancelAsync(context, _agent.TaskOptions, e).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask<JsonElement> TalkAsync(AgentTaskContext context, DurableTaskContext? durable)
    {
        var progress = await AgentProgress.ReadAsync(context).ConfigureAwait(false);
        var log = new ConversationLog(context, durable, progress.Entries);
        if (!progress.HasBegun)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var prompt = AgentProgress.Prompt(context.TaskId, _prompt);
            await log.OpenAsync(_agent.Name, prompt).ConfigureAwait(false);
            progress.Before.Add(prompt);
        }

        var run = AgentRun.Over(context, _options.RunOptions());
        await using (run.ConfigureAwait(false))
        {
            return await AnswerAsync(context, run, log, progress).ConfigureAwait(false);
        }
    }

    /// <summary>Talks until there is a result of the form that was asked for.</summary>
    private async ValueTask<JsonElement> AnswerAsync(AgentTaskContext context, AgentRun run, ConversationLog log, AgentProgress progress)
    {
        var (messages, said) = (progress.Before, progress.Said);
        for (var corrections = progress.Corrections; ; corrections++)
        {
            log.Turn = corrections;
            var last = await RunTurnAsync(context, run, log, messages, said).ConfigureAwait(false);
            if (_agent.ResultSchema is null)
            {
                return JsonSerializer.SerializeToElement(last, AgentsJson.Default.String);
            }

            var (result, fault) = ReadResult(last);
            if (fault is null)
            {
                return result;
            }

            if (corrections == MaxCorrections)
            {
                throw new ChatAgentFailedException($"The agent's answer does not follow its schema: {fault}");
            }

            var correction = AgentProgress.Correction(context.TaskId, corrections + 1, fault);
            await log.KeepAsync([correction], 0).ConfigureAwait(false);
            messages.Add(correction);
            said = [];
        }
    }

    /// <summary>One turn. What is said in it is added to the messages.</summary>
    /// <returns>The model's last text.</returns>
    private async ValueTask<string> RunTurnAsync(
        AgentTaskContext context, AgentRun run, ConversationLog log, List<ChatMessage> messages, IReadOnlyList<ChatMessage> said)
    {
        var stop = context.CancellationToken;
        var invokesFunctions = _options.InvokeFunctions ?? !FunctionInvokers.IsIn(_agent.Client);
        var turn = new ChatTurn(run, _options, messages, ChatOptionsFor(context), invokesFunctions, stop, log);
        await turn.ResumeAsync(said).ConfigureAwait(false);
        while (turn.GoesOn || await LooksOnceMoreAsync(context, turn).ConfigureAwait(false))
        {
            var call = await turn.NextCallAsync().ConfigureAwait(false);
            await turn.AnswerAsync(await call.AskAsync(_agent.Client, run).ConfigureAwait(false)).ConfigureAwait(false);
        }

        var response = turn.ToResponse();
        stop.ThrowIfCancellationRequested();
        messages.AddRange(response.Messages);
        if (FunctionCalls.Open(response.Messages).Count > 0)
        {
            throw new ChatAgentFailedException(
                "The model asked for functions that nobody here can call, or for more rounds of them than MaxFunctionRounds allows.");
        }

        return response.Messages.LastOrDefault(message => message.Role == ChatRole.Assistant)?.Text ?? "";
    }

    /// <summary>From here on who writes is told that nobody reads; what came before that is still answered.</summary>
    private static async ValueTask<bool> LooksOnceMoreAsync(AgentTaskContext context, ChatTurn turn)
    {
        context.CloseInbox();
        await turn.LookOnceMoreAsync().ConfigureAwait(false);
        return turn.GoesOn;
    }

    private ChatOptions ChatOptionsFor(AgentTaskContext context)
    {
        var options = _agent.Options?.Clone() ?? new ChatOptions();
        options.Instructions = _agent.Instructions ?? options.Instructions;
        options.Tools = [.. _agent.Tools];
        if (_agent.HasTaskTools)
        {
            var tools = BackgroundTaskTools.For(
                context.Manager, context.ThreadId, new() { AgentId = _agent.Name, Agents = _agent.Agents, Kinds = _agent.Kinds });
            foreach (var tool in tools)
            {
                options.Tools.Add(tool);
            }
        }

        if (_agent.ResultSchema is { } schema)
        {
            options.ResponseFormat = ChatResponseFormat.ForJsonSchema(schema, "result");
        }

        return options;
    }

    private (JsonElement Result, string? Fault) ReadResult(string text)
    {
        try
        {
            var result = JsonElement.Parse(text);
            return (result, _agent.FindFault?.Invoke(result));
        }
        catch (JsonException e)
        {
            return (default, e.Message);
        }
    }
}
