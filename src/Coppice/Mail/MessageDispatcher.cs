using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>
/// Takes messages out of the store's outbox and hands them to the transport: of each sender and recipient one at a time, several of them at
/// once. It looks when something was posted, when an attempt has ended, when the next attempt is due, and when another host has gone.
/// </summary>
internal sealed class MessageDispatcher
{
    // Somebody without a transport may have put messages back; a look in vain costs little.
    private const int BeatsPerLook = 10;

    private const string Rejected = "rejected: ";

    private readonly StoreGateway _store;
    private readonly HostSession _host;
    private readonly MessageKeeper _keeper;
    private readonly BackgroundTaskOptions _options;
    private readonly TaskRules _rules;
    private readonly TaskMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CancellationToken _stopping;
    private readonly CancellationToken _stopped;
    private readonly Lock _lock = new();
    private readonly HashSet<Sending> _underWay = [];
    private readonly TaskCompletionSource _idle;
    private readonly RetryPolicy _retry;
    private readonly Lookout _lookout;
    private bool _isStopped;
    private int _beats;

    internal MessageDispatcher(
        StoreGateway store, HostSession host, MessageKeeper keeper, BackgroundTaskOptions options, TaskRules rules, TaskMetrics metrics,
        ILogger logger, CancellationToken stopping, CancellationToken stopped)
    {
        _store = store;
        _host = host;
        _keeper = keeper;
        _options = options;
        _rules = rules;
        _metrics = metrics;
        _logger = logger;
        _stopping = stopping;
        _stopped = stopped;
        _idle = options.Scheduler.CreateSource();
        _retry = new RetryPolicy { Delay = options.FirstMessageRetry, MaxDelay = options.LongestMessageRetry };
        _lookout = new Lookout(ClaimAsync, e => Log.OutboxUnreachable(_logger, e), options);
    }

    private IMessageTransport Transport => _options.MessageTransport!;

    /// <summary>Looks soon for messages to send, if there is room for one more.</summary>
    internal void Look()
    {
        lock (_lock)
        {
            if (_underWay.Count >= _options.MaxMessagesUnderWay)
            {
                // Whoever ends looks again.
                return;
            }
        }

        _lookout.Look();
    }

    /// <summary>A look that failed is made up for; now and then one is made without a reason.</summary>
    internal void OnBeat()
    {
        if (_lookout.HasFailed || ++_beats % BeatsPerLook == 0)
        {
            Look();
        }
    }

    /// <summary>When it is this host, what it has under way is another's now; when it is another, what that had is free.</summary>
    internal void OnFenced(HostFence fence)
    {
        List<Sending> lost;
        lock (_lock)
        {
            lost = [.. _underWay.Where(sending => sending.Fence == fence)];
        }

        foreach (var sending in lost)
        {
            sending.Abandon();
        }

        Look();
    }

    /// <summary>Takes no more, and completes when nothing is under way. What is, was told to stop.</summary>
    internal async Task StopAsync()
    {
        await _lookout.StopAsync().ConfigureAwait(false);
        lock (_lock)
        {
            _isStopped = true;
            CompleteIfIdle();
        }

        await _idle.Task.ConfigureAwait(false);
    }

    private async ValueTask ClaimAsync()
    {
        int room;
        lock (_lock)
        {
            room = _isStopped ? 0 : _options.MaxMessagesUnderWay - _underWay.Count;
        }

        if (room <= 0)
        {
            return;
        }

        var claim = new ClaimOutbox(room, _options.MaxMessageAttempts, _options.MaxFailedMessages);
        var result = await _store.CommitAsync("claim_messages", claim, _host.Fence, new Claim(this), _stopping).ConfigureAwait(false);

        // A host that was given up joins anew with its next heartbeat.
        _lookout.HasFailed = result.Answer is not OutboxClaimed;
        if (result.Answer is OutboxClaimed claimed)
        {
            _metrics.MessagesFailed("attempts", claimed.Failed);
            _keeper.NoteDropped(claimed.Dropped);
            LookWhenDue(claimed.NextDue);
        }
    }

    /// <summary>Messages are this host's from now on. Told from inside the commit, also where its answer is lost.</summary>
    private void Start(OutgoingMessage message, HostFence fence)
    {
        var sending = new Sending(this, message, fence);
        lock (_lock)
        {
            _underWay.Add(sending);
        }

        _options.Scheduler.Queue(sending);
    }

    private void End(Sending sending)
    {
        bool wasFull;
        lock (_lock)
        {
            wasFull = _underWay.Count >= _options.MaxMessagesUnderWay;
            _underWay.Remove(sending);
            CompleteIfIdle();
        }

        if (wasFull)
        {
            Look();
        }
    }

    private void CompleteIfIdle()
    {
        if (_isStopped && _underWay.Count == 0)
        {
            _options.Scheduler.Complete(_idle);
        }
    }

    private void LookWhenDue(DateTimeOffset? due)
    {
        if (due is { } next)
        {
            _lookout.LookAt(next);
        }
    }

    private async Task<SettleOutgoing> AttemptAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        try
        {
            if (_stopping.IsCancellationRequested)
            {
                return Ended(message, AttemptEnd.HandedBack);
            }

            await Transport.SendAsync(message, cancellationToken).ConfigureAwait(false);
            return Ended(message, AttemptEnd.Sent);
        }
        catch (MessageRejectedException e)
        {
            return Ended(message, AttemptEnd.Failed) with { Reason = Rejected + _rules.CutError(e.Message) };
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return Ended(message, AttemptEnd.HandedBack);
        }
        catch (Exception e)
        {
            var isLate = e is OperationCanceledException && cancellationToken.IsCancellationRequested;
            return Failed(message, isLate ? "it took longer than MessageSendTimeout allows" : _rules.CutError(e.Message), e);
        }
    }

    private SettleOutgoing Failed(OutgoingMessage message, string reason, Exception exception)
    {
        if (message.Attempt >= _options.MaxMessageAttempts)
        {
            return Ended(message, AttemptEnd.Failed) with { Reason = $"attempted {message.Attempt} times, the last time: {reason}" };
        }

        var pause = PauseAfter(message.Attempt);
        Log.SendFailed(
            _logger, message.Message.MessageId, message.Message.FromThreadId, message.ToThreadId, message.Attempt, (long)pause.TotalMilliseconds, exception);
        return Ended(message, AttemptEnd.Retry) with { Reason = reason, RetryAt = _options.TimeProvider.GetUtcNow() + pause };
    }

    private SettleOutgoing Ended(OutgoingMessage message, AttemptEnd end) =>
        new(message.Number, message.Attempt, end) { MaxFailed = _options.MaxFailedMessages };

    private TimeSpan PauseAfter(int attempt) => _retry.PauseAfter(attempt, _options.Scheduler.NextDouble());

    /// <summary>Stores what became of an attempt, however long the store takes: unless it lands the message is sent again.</summary>
    private async ValueTask SettleAsync(OutgoingMessage message, HostFence fence, SettleOutgoing settle)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var result = await _store.CommitAsync("settle_message", settle, fence).ConfigureAwait(false);
                if (result.Answer is OutgoingSettled settled)
                {
                    Note(message, settle, settled);
                    LookWhenDue(settled.NextDue);
                }

                return;
            }
            catch (TaskStoreException e)
            {
                Log.SettlingDelayed(_logger, message.Message.MessageId, e);
                await Task.Delay(PauseAfter(Math.Min(attempt, 30)), _options.TimeProvider, _stopped).ConfigureAwait(false);
            }
        }
    }

    private void Note(OutgoingMessage message, SettleOutgoing settle, OutgoingSettled settled)
    {
        if (settled.HasFailed)
        {
            _metrics.MessagesFailed(ReasonOf(settle), 1);
            Log.MessageFailed(_logger, message.Message.MessageId, message.Message.FromThreadId, message.ToThreadId, settle.Reason);
        }

        if (settled.WasHeld)
        {
            _metrics.MessageAttempted(settle.End);
        }

        _keeper.NoteDropped(settled.Dropped);
    }

    private static string ReasonOf(SettleOutgoing settle) =>
        settle.End == AttemptEnd.Retry ? "expired" : settle.Reason.StartsWith(Rejected, StringComparison.Ordinal) ? "rejected" : "attempts";

    private sealed class Claim(MessageDispatcher dispatcher) : ICommitObserver
    {
        public void OnLanded(CommitResult result, HostFence fence)
        {
            foreach (var message in ((OutboxClaimed)result.Answer!).Messages)
            {
                dispatcher.Start(message, fence);
            }
        }
    }

    /// <summary>One attempt at one message, of a host that has claimed it.</summary>
    [SuppressMessage("Design", "CA1001", Justification = "Nobody asks the source for a handle, and its callbacks may still be running.")]
    private sealed class Sending(MessageDispatcher dispatcher, OutgoingMessage message, HostFence fence) : IThreadPoolWorkItem
    {
        private readonly CancellationTokenSource _token = new();

        internal HostFence Fence => fence;

        public void Execute() => _ = RunAsync();

        internal void Abandon() => dispatcher._options.Scheduler.Cancel(_token, message.Message.MessageId, dispatcher._logger);

        private async Task RunAsync()
        {
            try
            {
                using var timeout = dispatcher._options.TimeProvider.CreateTimer(
                    static sending => ((Sending)sending!).Abandon(), this, dispatcher._options.MessageSendTimeout, Timeout.InfiniteTimeSpan);
                using var stopping = dispatcher._stopping.UnsafeRegister(static sending => ((Sending)sending!).Abandon(), this);
                var settle = await dispatcher.AttemptAsync(message, _token.Token).ConfigureAwait(false);
                await dispatcher.SettleAsync(message, fence, settle).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException)
            {
                // The manager is gone: the message is free for the next host.
            }
            finally
            {
                dispatcher.End(this);
            }
        }
    }
}
