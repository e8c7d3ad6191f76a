using System.Globalization;
using Microsoft.Extensions.AI;

namespace Coppice.Agents;

/// <summary>
/// One turn of a conversation: calls of the model with the functions it asks for and the mail that comes in between, until it has nothing more to
/// do, or nothing to wait for. Knows what is said, not how it gets to the model.
/// </summary>
internal sealed class ChatTurn
{
    private readonly AgentRun _run;
    private readonly BackgroundTaskChatClientOptions _options;
    private readonly ChatOptions? _given;
    private readonly FunctionCalls? _functions;
    private readonly CancellationToken _cancellationToken;
    private readonly ITurnKeeper? _keeper;
    private readonly long _startedAt;
    private readonly List<ChatMessage> _produced = [];
    private readonly List<ChatResponseUpdate> _updates = [];

    private List<ChatMessage> _history;
    private IList<AIContent> _results = [];
    private ChatResponse _last = new();
    private UsageDetails? _usage;
    private (List<FunctionCallContent> Approved, List<AIContent> Refused)? _approvals;
    private string? _conversationId;
    private int _rounds;
    private bool _asksForApproval;
    private int _kept;

    internal ChatTurn(
        AgentRun run, BackgroundTaskChatClientOptions options, IEnumerable<ChatMessage> messages, ChatOptions? given, bool invokesFunctions,
        CancellationToken cancellationToken, ITurnKeeper? keeper = null)
    {
        _keeper = keeper;
        _run = run;
        _options = options;
        _given = given;
        _cancellationToken = cancellationToken;
        _startedAt = run.Manager.TimeProvider.GetTimestamp();
        _conversationId = given?.ConversationId;
        if (!invokesFunctions)
        {
            _history = [.. messages];
            return;
        }

        _functions = new FunctionCalls(run, given?.Tools, options.Services, options.IncludeErrorDetails);
        var (history, approved, refused) = Approvals.Resolve(messages);
        _history = history;
        _approvals = approved.Count + refused.Count > 0 ? (approved, refused) : null;
    }

    /// <summary>Gets whether the model is to be called again.</summary>
    internal bool GoesOn { get; private set; }

    /// <summary>Takes up a turn that was cut off: does what the model asked for last, if it did, or finds out whether the turn had ended.</summary>
    /// <param name="said">What was said in it, and is kept.</param>
    internal async ValueTask ResumeAsync(IReadOnlyList<ChatMessage> said)
    {
        var open = FunctionCalls.Open(said);
        if (open.Count > 0 && said[^1].Role == ChatRole.Tool)
        {
            // Some of the last calls have their results: they stand together with those that come.
            _results = said[^1].Contents;
            said = [.. said.SkipLast(1)];
        }

        _history.AddRange(said);
        _produced.AddRange(said);
        _kept = _produced.Count;
        _rounds = said.Count(static message => message.Role == ChatRole.Tool);
        GoesOn = true;
        if (said.LastOrDefault(static message => message.Role == ChatRole.Assistant) is not { } answer)
        {
            return;
        }

        _asksForApproval = answer.Contents.Any(static content => content is ToolApprovalRequestContent);
        if (open.Count > 0)
        {
            GoesOn = await CallAsync(open).ConfigureAwait(false);
        }
        else if (said[^1] == answer)
        {
            GoesOn = !_asksForApproval && await HasMoreAsync().ConfigureAwait(false);
        }
    }

    /// <summary>What the model is to be asked: the conversation, the mail that has come, and the digest.</summary>
    internal async ValueTask<ChatCall> NextCallAsync()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        await CallApprovedAsync().ConfigureAwait(false);
        foreach (var message in await _run.TellAsync(_cancellationToken).ConfigureAwait(false))
        {
            Produce(message);
        }

        var messages = MailContent.ForModel(_history).ToList();
        if (await _run.DigestAsync(_cancellationToken).ConfigureAwait(false) is { } digest)
        {
            messages.Add(digest);
        }

        return new ChatCall(messages, OptionsForCall());
    }

    /// <summary>Readies a part of a streamed answer for being seen.</summary>
    internal void See(ChatResponseUpdate update) => _asksForApproval |= _functions?.RequestApprovals(update.Contents) ?? false;

    /// <summary>The model has answered: what it was told is acknowledged, and what it asks for is done.</summary>
    internal async ValueTask AnswerAsync(ChatResponse response, bool isStreamed = false)
    {
        foreach (var message in response.Messages)
        {
            _asksForApproval |= _functions?.RequestApprovals(message.Contents) ?? false;
        }

        Take(response);
        await KeepAsync().ConfigureAwait(false);
        var open = FunctionCalls.Open(response.Messages);
        GoesOn = open.Count > 0 ? await CallAsync(open).ConfigureAwait(false) : !_asksForApproval && await HasMoreAsync().ConfigureAwait(false);
        if (!GoesOn)
        {
            await SayWhatIsAwaitedAsync(isStreamed).ConfigureAwait(false);
        }
    }

    /// <summary>Goes on after all when there is mail that came while the turn was ending.</summary>
    internal async ValueTask LookOnceMoreAsync() =>
        GoesOn = !_asksForApproval && !_run.IsCancelled && await _run.WaitForMailAsync(_run.CancellationToken).ConfigureAwait(false);

    /// <summary>Takes what was said and the caller of a stream has not seen yet.</summary>
    internal IReadOnlyList<ChatResponseUpdate> TakeUpdates()
    {
        ChatResponseUpdate[] updates = [.. _updates];
        _updates.Clear();
        return updates;
    }

    /// <summary>All that was said in the turn.</summary>
    internal ChatResponse ToResponse()
    {
        _last.Messages = _produced;
        _last.Usage = _usage;
        return _last;
    }

    private async ValueTask CallApprovedAsync()
    {
        if (_approvals is not var (approved, refused))
        {
            return;
        }

        _approvals = null;
        var call = _history[^1];
        _history.RemoveAt(_history.Count - 1);
        Produce(call);
        var results = approved.Count > 0 ? (await _functions!.CallAsync(approved, _run.CancellationToken).ConfigureAwait(false)).Contents : [];
        Produce(new ChatMessage(ChatRole.Tool, [.. results, .. refused]));
    }

    private async ValueTask<bool> CallAsync(List<FunctionCallContent> calls)
    {
        // The call after the last round had no tools; a model that asks all the same gets no more.
        if (_functions is null || !_functions.CanCallAll(calls) || _rounds >= _options.MaxFunctionRounds)
        {
            return false;
        }

        if (_keeper is null)
        {
            var results = await _functions.CallAsync(calls, _run.CancellationToken).ConfigureAwait(false);
            _cancellationToken.ThrowIfCancellationRequested();
            Produce(results);
            await KeepAsync().ConfigureAwait(false);
        }
        else
        {
            await CallKeptAsync(_functions, _keeper, calls).ConfigureAwait(false);
        }

        _rounds++;
        return !_asksForApproval && !_run.IsCancelled;
    }

    private async ValueTask CallKeptAsync(FunctionCalls functions, ITurnKeeper keeper, List<FunctionCallContent> calls)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var answer = _produced.Count(static message => message.Role == ChatRole.Assistant).ToString(CultureInfo.InvariantCulture);
        var (results, notKept) = await new KeptCalls(functions, keeper).CallAsync(answer, calls, _run.CancellationToken).ConfigureAwait(false);

        // What has no result is left to whoever goes on with the turn.
        _cancellationToken.ThrowIfCancellationRequested();
        if (notKept.Count > 0)
        {
            await keeper.KeepAsync([new ChatMessage(ChatRole.Tool, [.. notKept])], 0).ConfigureAwait(false);
        }

        Produce(new ChatMessage(ChatRole.Tool, [.. _results, .. results.Contents]));
        _results = [];
        _kept = _produced.Count;
    }

    /// <summary>The model has ended its turn: whether there is something more to tell it, for which the turn waits if it is to.</summary>
    private async ValueTask<bool> HasMoreAsync()
    {
        if (_options.WhenTasksRemain != WhenTasksRemain.Wait || _run.IsCancelled)
        {
            return false;
        }

        if (_options.MaxWait is not { } maxWait)
        {
            return await _run.WaitForMailAsync(_run.CancellationToken).ConfigureAwait(false);
        }

        var time = _run.Manager.TimeProvider;
        var left = maxWait - time.GetElapsedTime(_startedAt);
        using var timeout = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _run.CancellationToken);
        try
        {
            return await _run.WaitForMailAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !_run.IsCancelled)
        {
            return false;
        }
    }

    private async ValueTask SayWhatIsAwaitedAsync(bool isStreamed)
    {
        var awaited = (await _run.GetStatusAsync(_cancellationToken).ConfigureAwait(false)).LiveTasks;
        if (awaited.Count == 0)
        {
            return;
        }

        string[] ids = [.. awaited];
        (_last.AdditionalProperties ??= [])[BackgroundTaskChatClient.AwaitingTasksKey] = ids;
        if (isStreamed)
        {
            _updates.Add(new ChatResponseUpdate
            {
                ConversationId = _last.ConversationId,
                AdditionalProperties = new() { [BackgroundTaskChatClient.AwaitingTasksKey] = ids },
            });
        }
    }

    /// <summary>The model has answered what it was told, or functions have what it asked for: that is kept before anything else happens.</summary>
    private async ValueTask KeepAsync()
    {
        ChatMessage[] added = [.. _produced.Skip(_kept)];
        _kept = _produced.Count;
        if (_keeper is null)
        {
            if (_options.OnMessages is { } onMessages && added.Length > 0)
            {
                await onMessages(added, _cancellationToken).ConfigureAwait(false);
            }

            await _run.AcknowledgeAsync(_cancellationToken).ConfigureAwait(false);
            return;
        }

        var through = _run.ToldThrough;
        await _keeper.KeepAsync(added, through).ConfigureAwait(false);
        if (through > 0)
        {
            _run.Forget(through);
        }
    }

    private void Take(ChatResponse response)
    {
        _last = response;
        _produced.AddRange(response.Messages);
        if (response.Usage is { } usage)
        {
            (_usage ??= new UsageDetails()).Add(usage);
        }

        if (response.ConversationId is { } conversationId)
        {
            // The service keeps the conversation: from here on it is sent only what it does not have.
            _conversationId = conversationId;
            _history = [];
        }
        else
        {
            _history.AddRange(response.Messages);
        }
    }

    private void Produce(ChatMessage message)
    {
        message.MessageId ??= Guid.CreateVersion7(_run.Manager.TimeProvider.GetUtcNow()).ToString("N");
        _history.Add(message);
        _produced.Add(message);
        _updates.Add(new ChatResponseUpdate(message.Role, message.Contents)
        {
            MessageId = message.MessageId,
        });
    }

    private ChatOptions? OptionsForCall()
    {
        var isLastRound = _functions is not null && _rounds >= _options.MaxFunctionRounds;
        if (!isLastRound && _conversationId == _given?.ConversationId && _rounds == 0)
        {
            return _given;
        }

        var options = _given?.Clone() ?? new ChatOptions();
        options.ConversationId = _conversationId;
        if (isLastRound)
        {
            options.Tools = null;
            options.ToolMode = null;
        }
        else if (_rounds > 0 && options.ToolMode is RequiredChatToolMode)
        {
            // What was required has been done; to require it again would never end.
            options.ToolMode = null;
        }

        return options;
    }
}
