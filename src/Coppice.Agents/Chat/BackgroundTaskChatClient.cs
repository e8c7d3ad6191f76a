using System.Runtime.CompilerServices;
using Coppice.Agents;
using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>
/// Tells the model of a thread's background tasks. Before each call of the model it takes the thread's mail and adds it as internal messages, with a
/// digest of the live tasks; once the model has answered the mail is acknowledged, so that a crash in between loses nothing, and nothing that was
/// acknowledged is told again. It calls the functions that the model asks for, unless a client below does.
/// </summary>
/// <remarks>
/// <para>
/// Mail that was told is part of the response: internal messages of role user, before the answer to them, whose content is data and not text, so that
/// <see cref="ChatResponse.Text"/> has only what the model said. Keep it in the history like the rest (<c>history.AddMessages(response)</c>): in
/// later calls it becomes text for the model again. The digest is made anew for each call and is not part of the response.
/// </para>
/// <para>
/// The thread's inbox is open during a turn, and closed between turns: then <see cref="BackgroundTaskOptions.OnUnreadMail"/> tells of mail. One turn
/// at a time: a second one on the same client is an <see cref="InvalidOperationException"/>; one elsewhere takes the thread over, and the first
/// gets <see cref="InboxTakenOverException"/>.
/// </para>
/// </remarks>
public sealed class BackgroundTaskChatClient : DelegatingChatClient
{
    /// <summary>The key in the additional properties of a response under which the ids of the tasks stand that still run.</summary>
    public const string AwaitingTasksKey = "awaiting_tasks";

    private readonly BackgroundTaskManager _manager;
    private readonly BackgroundTaskChatClientOptions _options;
    private readonly bool _invokesFunctions;
    private int _turns;

    /// <summary>Creates the client; see <see cref="BackgroundTaskChatClientExtensions.WithBackgroundTasks"/>.</summary>
    /// <param name="innerClient">The client below.</param>
    /// <param name="manager">The manager of the tasks.</param>
    /// <param name="threadId">The thread of this conversation; 1 to 256 bytes.</param>
    /// <param name="options">How to work; copied.</param>
    /// <exception cref="ArgumentException">An argument or option is missing or out of its range.</exception>
    public BackgroundTaskChatClient(
        IChatClient innerClient, BackgroundTaskManager manager, string threadId, BackgroundTaskChatClientOptions? options = null)
        : base(innerClient)
    {
        ArgumentNullException.ThrowIfNull(manager);
        ArgumentException.ThrowIfNullOrEmpty(threadId);
        _options = (options ?? new()).Clone();
        _options.Validate();
        _manager = manager;
        ThreadId = threadId;
        _invokesFunctions = _options.InvokeFunctions ?? !FunctionInvokers.IsIn(innerClient);
    }

    /// <summary>Gets the thread of this conversation.</summary>
    public string ThreadId { get; }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">A turn of this client is under way.</exception>
    /// <exception cref="InboxTakenOverException">Somebody else has the thread.</exception>
    /// <exception cref="TaskStoreException">The store failed. Mail that was not acknowledged comes again.</exception>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        using var only = EnterTurn();
        var run = await AgentRun.StartAsync(_manager, ThreadId, _options.RunOptions(), cancellationToken).ConfigureAwait(false);
        await using (run.ConfigureAwait(false))
        {
            var turn = new ChatTurn(run, _options, messages, options, _invokesFunctions, cancellationToken);
            do
            {
                var call = await turn.NextCallAsync().ConfigureAwait(false);
                await turn.AnswerAsync(await call.AskAsync(InnerClient, run).ConfigureAwait(false)).ConfigureAwait(false);
            }
            while (turn.GoesOn);

            return turn.ToResponse();
        }
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">A turn of this client is under way.</exception>
    /// <exception cref="InboxTakenOverException">Somebody else has the thread.</exception>
    /// <exception cref="TaskStoreException">The store failed. Mail that was not acknowledged comes again.</exception>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        using var only = EnterTurn();
        var run = await AgentRun.StartAsync(_manager, ThreadId, _options.RunOptions(), cancellationToken).ConfigureAwait(false);
        await using (run.ConfigureAwait(false))
        {
            var turn = new ChatTurn(run, _options, messages, options, _invokesFunctions, cancellationToken);
            do
            {
                var call = await turn.NextCallAsync().ConfigureAwait(false);
                foreach (var update in turn.TakeUpdates())
                {
                    yield return update;
                }

                var answer = new List<ChatResponseUpdate>();
                var updates = InnerClient.GetStreamingResponseAsync(call.Messages, call.Options, run.CancellationToken)
                    .GetAsyncEnumerator(run.CancellationToken);
                await using (updates.ConfigureAwait(false))
                {
                    while (await MoveNextAsync(run, updates).ConfigureAwait(false))
                    {
                        turn.See(updates.Current);
                        answer.Add(updates.Current);
                        yield return updates.Current;
                    }
                }

                await turn.AnswerAsync(answer.ToChatResponse(), isStreamed: true).ConfigureAwait(false);
                foreach (var update in turn.TakeUpdates())
                {
                    yield return update;
                }
            }
            while (turn.GoesOn);
        }
    }

    // As with ChatCall.AskAsync: the scope ends with the method that sets it.
    private static async ValueTask<bool> MoveNextAsync(AgentRun run, IAsyncEnumerator<ChatResponseUpdate> updates)
    {
        using var scope = run.BeginToolCall("");
        return await updates.MoveNextAsync().ConfigureAwait(false);
    }

    private TurnScope EnterTurn()
    {
        if (Interlocked.Exchange(ref _turns, 1) != 0)
        {
            throw new InvalidOperationException(
                $"A turn of the thread '{ThreadId}' is under way. Await it before the next, or give other work a chat client and a thread of its own.");
        }

        return new TurnScope(this);
    }

    private readonly struct TurnScope(BackgroundTaskChatClient client) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref client._turns, 0);
    }
}
