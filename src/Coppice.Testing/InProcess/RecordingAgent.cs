namespace Coppice.Testing;

/// <summary>
/// The body of an agent that reads its inbox, acknowledges what it has read, and ends when and how the test says: hand
/// <see cref="RunAsync"/> to whatever spawns an agent. It ends as cancelled when its token is cancelled first. For one agent.
/// </summary>
public sealed class RecordingAgent
{
    private readonly Gate<AgentTaskContext> _gate = new("recording agent");
    private readonly Queued<AgentMail> _messages = new();
    private readonly Lock _lock = new();
    private readonly List<MailEvent> _mail = [];

    /// <summary>Gets all that came so far, in order: messages, and the events of the agent's own tasks.</summary>
    public IReadOnlyList<MailEvent> Mail
    {
        get
        {
            lock (_lock)
            {
                return [.. _mail];
            }
        }
    }

    /// <summary>The body.</summary>
    /// <param name="context">What the manager gives it.</param>
    public async Task<TaskOutcome> RunAsync(AgentTaskContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        _gate.Start(context);
        var reading = ReadAsync(context.Inbox, stop.Token);
        var end = _gate.WaitForEndAsync(context, ignoresCancellation: false);
        await Task.WhenAny(reading, end).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await reading.ConfigureAwait(false);
        return await end.ConfigureAwait(false);
    }

    /// <summary>Waits until the agent has started.</summary>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <returns>The agent's context.</returns>
    /// <exception cref="TaskAssertionException">It did not start in time.</exception>
    public Task<AgentTaskContext> WaitUntilStartedAsync(TimeSpan? within = null, CancellationToken cancellationToken = default) =>
        _gate.WaitUntilStartedAsync(within, cancellationToken);

    /// <summary>Waits for a message to the agent: the first call for the first, the next for the next.</summary>
    /// <param name="within">How long to wait in real time; 10 seconds by default.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="TaskAssertionException">None came in time.</exception>
    public Task<AgentMail> WaitForMessageAsync(TimeSpan? within = null, CancellationToken cancellationToken = default) =>
        _messages.NextAsync("No message came to the recording agent", within, cancellationToken);

    /// <summary>Ends it with success, without a result.</summary>
    /// <exception cref="InvalidOperationException">Its end was decided before.</exception>
    public void Complete() => Complete(TaskOutcome.SuccessWithoutResult);

    /// <summary>Ends it with an outcome.</summary>
    /// <param name="outcome">The outcome, of whichever state.</param>
    /// <exception cref="InvalidOperationException">Its end was decided before.</exception>
    public void Complete(TaskOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        _gate.Decide(() => outcome);
    }

    private async Task ReadAsync(Inbox inbox, CancellationToken stop)
    {
        try
        {
            await foreach (var item in inbox.ReadAllAsync(stop).ConfigureAwait(false))
            {
                await inbox.AckAsync(item.Sequence, stop).ConfigureAwait(false);
                lock (_lock)
                {
                    _mail.Add(item.Event);
                }

                if (AgentMessage.TryRead(item.Event, out var from, out var content))
                {
                    _messages.Add(new AgentMail(from, content));
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The agent ends.
        }
    }
}

/// <summary>A message as a <see cref="RecordingAgent"/> got it.</summary>
/// <param name="FromAgentId">The sender's agent.</param>
/// <param name="Content">The text.</param>
public sealed record AgentMail(string FromAgentId, string Content);
