using Coppice.Agents;
using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>
/// One run of an agent on its thread: the places at which an agent's loop meets its background tasks, as plain methods. What
/// <see cref="BackgroundTaskChatClient"/> does by itself is done with these by a loop of another kind.
/// </summary>
/// <remarks>
/// <para>
/// In a loop: <see cref="StartAsync"/>; before each call of the model <see cref="TakeMailAsync"/> and <see cref="DigestAsync"/>, whose messages are
/// added to the conversation; after the model's answer <see cref="AcknowledgeAsync"/>; around each tool call <see cref="BeginToolCall"/>;
/// when the model has ended its turn <see cref="GetStatusAsync"/>, and <see cref="WaitForMailAsync"/> to go on when something has come; at last
/// <see cref="DisposeAsync"/>.
/// </para>
/// <para>
/// The thread's inbox is open as long as the run: while it works nobody is woken for its mail. What was not acknowledged comes again with the
/// next run. Not for concurrent use, but for <see cref="BeginToolCall"/>. Source: awaken-runtime 0.4.0, BackgroundTaskPlugin and its phase hooks.
/// </para>
/// </remarks>
public sealed class AgentRun : IAsyncDisposable
{
    private readonly AgentRunOptions _options;
    private readonly ThreadMail _mail;
    private readonly NotifyRule _rule;
    private readonly CancellationTokenSource _cancellation;
    private readonly ThreadScope _scope;
    private long _toldThrough;

    private AgentRun(BackgroundTaskManager manager, string threadId, AgentRunOptions options, ThreadMail mail, CancellationToken cancellationToken)
    {
        Manager = manager;
        ThreadId = threadId;
        RunId = options.RunId ?? $"run-{Guid.CreateVersion7(manager.TimeProvider.GetUtcNow()):N}";
        _options = options;
        _mail = mail;
        _rule = new NotifyRule(manager);
        _scope = new ThreadScope(manager, threadId);
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    }

    /// <summary>Gets the manager.</summary>
    public BackgroundTaskManager Manager { get; }

    /// <summary>Gets the thread that it works for.</summary>
    public string ThreadId { get; }

    /// <summary>Gets its id.</summary>
    public string RunId { get; }

    /// <summary>Gets the token that is cancelled when the run is: by its caller, or by the model with the tool <c>cancel_task</c>.</summary>
    public CancellationToken CancellationToken => _cancellation.Token;

    /// <summary>Gets whether the run was cancelled from inside, by a tool.</summary>
    internal bool IsCancelled => _cancellation.IsCancellationRequested;

    internal ThreadMail Mail => _mail;

    /// <summary>Starts a run: takes a snapshot in where one is given, and opens the thread's inbox, taking it over from any other reader.</summary>
    /// <param name="manager">The manager.</param>
    /// <param name="threadId">The thread; 1 to 256 bytes.</param>
    /// <param name="options">How to work; copied.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    /// <exception cref="ArgumentException">An argument or option is missing or out of its range.</exception>
    /// <exception cref="TaskStoreException">The store failed.</exception>
    public static async ValueTask<AgentRun> StartAsync(
        BackgroundTaskManager manager, string threadId, AgentRunOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(manager);
        options = (options ?? new()).Clone();
        options.Validate();
        if (options.Snapshot is { } snapshot)
        {
            await manager.RestoreAsync(threadId, snapshot, cancellationToken).ConfigureAwait(false);
        }

        var mail = await ThreadMail.OpenAsync(manager, threadId, cancellationToken).ConfigureAwait(false);
        return new AgentRun(manager, threadId, options, mail, cancellationToken);
    }

    /// <summary>Starts the run of a sub-agent, whose inbox is open as long as its task.</summary>
    internal static AgentRun Over(AgentTaskContext context, AgentRunOptions options) =>
        new(context.Manager, context.ThreadId, options, ThreadMail.Over(context.Inbox), context.CancellationToken);

    /// <summary>
    /// Takes what has come for the model: the ends and events of tasks, in one internal message, and what users and other agents have written.
    /// What was taken and not acknowledged is taken again. Tasks are told of as they were spawned to be (<see cref="SpawnOptions.Notify"/>).
    /// </summary>
    /// <param name="cancellationToken">Stops waiting for the store.</param>
    /// <returns>The messages to add to the conversation, perhaps none. Results that are too long are cut, and say so.</returns>
    /// <exception cref="InboxTakenOverException">Another run has the thread.</exception>
    public async ValueTask<IReadOnlyList<ChatMessage>> TakeMailAsync(CancellationToken cancellationToken = default) =>
        [.. MailContent.ForModel(await TellAsync(cancellationToken).ConfigureAwait(false))];

    /// <summary>A short digest of the thread's live tasks out of the store, to stand at the end of what the model is sent, and nowhere else.</summary>
    /// <param name="cancellationToken">Stops waiting for the store.</param>
    /// <returns>The message, or <see langword="null"/> when no task is live.</returns>
    public async ValueTask<ChatMessage?> DigestAsync(CancellationToken cancellationToken = default)
    {
        if (_options.MaxDigestTasks == 0)
        {
            return null;
        }

        var live = await ReadLiveAsync(cancellationToken).ConfigureAwait(false);
        return TaskDigest.Of(live, _options.MaxDigestTasks, Manager.TimeProvider.GetUtcNow()) is { } digest
            ? MailContent.Internal(new TextContent(digest))
            : null;
    }

    /// <summary>The model has answered: what it was told is done with, and does not come again.</summary>
    /// <param name="cancellationToken">Gives it up until the store's writer has it.</param>
    /// <exception cref="InboxTakenOverException">Another run has the thread, and will be told the same.</exception>
    public async ValueTask AcknowledgeAsync(CancellationToken cancellationToken = default)
    {
        if (_toldThrough > 0)
        {
            await AcknowledgeThroughAsync(_toldThrough, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens the scope of a tool call: what is spawned in it has this run, this call and this agent as its lineage.</summary>
    /// <param name="callId">The call's id, as the model gave it.</param>
    /// <returns>What ends the scope.</returns>
    public IDisposable BeginToolCall(string callId)
    {
        ArgumentNullException.ThrowIfNull(callId);
        return BeginCall(callId, null);
    }

    /// <summary>Opens the scope of a tool call whose tasks are known by keys.</summary>
    internal IDisposable BeginCall(string callId, SpawnKeys? keys)
    {
        var outer = (ThreadScope.Current, SpawnKeys.Current);
        ThreadScope.Enter(_scope);
        SpawnKeys.Enter(keys);
        return new CallScope(outer, ToolCallScope.Begin(RunId, callId, _options.AgentId, _cancellation));
    }

    /// <summary>What is going on behind the run, at the end of a step or of the run.</summary>
    /// <param name="cancellationToken">Stops waiting for the store.</param>
    public async ValueTask<RunStatus> GetStatusAsync(CancellationToken cancellationToken = default)
    {
        // In this order: a task that ends in between has left its mail before it stopped being live.
        var live = await ReadLiveAsync(cancellationToken).ConfigureAwait(false);
        return new RunStatus([.. live.Where(task => task.Notify != NotifyPolicy.Silent).Select(task => task.TaskId)], await HasMailAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// Waits until there is something to tell the model. It waits for the thread's mail: nothing is asked of the store meanwhile, nor of the model.
    /// </summary>
    /// <param name="cancellationToken">Stops waiting; nothing is lost.</param>
    /// <returns>Whether there is; <see langword="false"/> when no task is live of which there would be anything to tell.</returns>
    public async ValueTask<bool> WaitForMailAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var status = await GetStatusAsync(cancellationToken).ConfigureAwait(false);
            if (status.HasMail || status.LiveTasks.Count == 0)
            {
                return status.HasMail;
            }

            // What nobody is told of would otherwise pile up for as long as the wait lasts.
            if (_mail.Held.Count > 0)
            {
                await AcknowledgeThroughAsync(_mail.Held[^1].Sequence, cancellationToken).ConfigureAwait(false);
            }

            // The tasks that it waits for may need the room that it takes.
            using var parked = (TaskContext.CurrentOn(Manager) as DurableTaskContext)?.Park();
            await _mail.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends the run: the thread's inbox closes, and mail that was not acknowledged wakes the thread again.</summary>
    public async ValueTask DisposeAsync()
    {
        await _mail.DisposeAsync().ConfigureAwait(false);
        _cancellation.Dispose();
    }

    /// <summary>As <see cref="TakeMailAsync"/>, in the form in which it is kept in a conversation.</summary>
    internal async ValueTask<IReadOnlyList<ChatMessage>> TellAsync(CancellationToken cancellationToken)
    {
        await _mail.ReadAsync(cancellationToken).ConfigureAwait(false);
        var messages = new List<ChatMessage>();
        var events = new List<string>();
        var told = 0;
        foreach (var item in _mail.Held)
        {
            if (told == _options.MaxEventsInMessage)
            {
                break;
            }

            _toldThrough = item.Sequence;
            if (!await _rule.IsToldAsync(item.Event, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            told++;
            if (item.Event is LiveInput input)
            {
                Flush(events, messages);
                messages.AddRange(LiveInputMessages.Of(input));
            }
            else
            {
                events.Add(EventText.Of(item.Event, _options.MaxEventCharacters));
            }
        }

        Flush(events, messages);
        return messages;
    }

    /// <summary>Gets through which piece of mail the model was told all; 0 when it was told nothing.</summary>
    internal long ToldThrough => _toldThrough;

    /// <summary>Mail was acknowledged, together with something else.</summary>
    internal void Forget(long throughSequence)
    {
        foreach (var item in _mail.Held.TakeWhile(item => item.Sequence <= throughSequence))
        {
            _rule.Forget(item.Event);
        }

        _mail.Forget(throughSequence);
        _toldThrough = 0;
    }

    private async ValueTask AcknowledgeThroughAsync(long throughSequence, CancellationToken cancellationToken)
    {
        await _mail.Inbox.AckAsync(throughSequence, cancellationToken).ConfigureAwait(false);
        Forget(throughSequence);
    }

    private static void Flush(List<string> events, List<ChatMessage> messages)
    {
        if (events.Count > 0)
        {
            messages.Add(MailContent.Create(string.Join('\n', events)));
            events.Clear();
        }
    }

    private async ValueTask<bool> HasMailAsync(CancellationToken cancellationToken)
    {
        await _mail.ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach (var item in _mail.Held)
        {
            if (await _rule.IsToldAsync(item.Event, cancellationToken).ConfigureAwait(false))
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<List<TaskSnapshot>> ReadLiveAsync(CancellationToken cancellationToken)
    {
        var live = new List<TaskSnapshot>();
        var query = new TaskQuery { OwnerThreadId = ThreadId, States = LiveStates.All };
        await foreach (var task in Manager.QueryAsync(query, cancellationToken).ConfigureAwait(false))
        {
            live.Add(task);
        }

        return live;
    }

    private sealed class CallScope((ThreadScope? Thread, SpawnKeys? Keys) outer, IDisposable call) : IDisposable
    {
        public void Dispose()
        {
            call.Dispose();
            ThreadScope.Enter(outer.Thread);
            SpawnKeys.Enter(outer.Keys);
        }
    }
}
