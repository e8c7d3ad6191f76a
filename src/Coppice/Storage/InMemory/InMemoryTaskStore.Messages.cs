using System.Collections.Concurrent;

namespace Coppice;

/// <content>Messages between threads: their ids, their expiry, the outbox, and those that failed.</content>
public sealed partial class InMemoryTaskStore
{
    private const string AgentEnded = "The agent ended before it acknowledged the message.";

    // Beside the partitions, most of which never see a message. Locks go on: the outbox after partitions, failed messages and agenda inside all.
    private readonly ConcurrentDictionary<string, ThreadMessages> _messages = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, FailedList> _failed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SortedDictionary<long, FailedList.Entry>> _letters = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _grown = new(StringComparer.Ordinal);
    private readonly MessageAgenda _agenda = new();
    private readonly Outbox _outbox = new();
    private long _failedNumber;

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(_failed.TryGetValue(threadId, out var failed) ? failed.ToMessages() : []);
    }

    /// <inheritdoc/>
    public ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ValueTask.FromResult(!_grown.IsEmpty ? DateTimeOffset.MinValue : Time(_agenda.Next));
    }

    private static DateTimeOffset? Time(long? milliseconds) =>
        milliseconds is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(ms, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())) : null;

    private static long Milliseconds(MutationBatch batch) => batch.Time.ToUnixTimeMilliseconds();

    private static bool IsMessageWork(Mutation mutation) =>
        mutation is PostToOutbox or ClaimOutbox or SettleOutgoing or ExpireMessages or ReplayFailedMessages or ClearFailedMessages;

    private CommitResult CommitMessageWork(MutationBatch batch, Mutation mutation)
    {
        if (mutation is PostToOutbox or ClaimOutbox or SettleOutgoing)
        {
            // A message of this id may be in the mailbox of a thread that lives here.
            using var locks = new PartitionLocks(
                mutation is PostToOutbox known && _messages.ContainsKey(known.ThreadId) ? Partition(known.ThreadId) : null, null);
            lock (_outbox.Gate)
            {
                return !_hosts.IsOpen(batch.Host) ? Fenced() : Landed(batch, mutation switch
                {
                    PostToOutbox post => Post(batch, post),
                    ClaimOutbox claim => Claim(batch, claim),
                    _ => Settle(batch, (SettleOutgoing)mutation),
                });
            }
        }

        return !_hosts.IsOpen(batch.Host) ? Fenced() : Landed(batch, mutation switch
        {
            ExpireMessages expire => Expire(batch, expire),
            ReplayFailedMessages replay => Replay(batch, replay),
            _ => Clear((ClearFailedMessages)mutation),
        });
    }

    private PostRefused? CheckPost(MutationBatch batch, PostMessage post)
    {
        var mail = Partition(post.ThreadId).Mail;
        if (mail.UnreadMessages < post.MaxUnread || FindKnown(batch, post) is not null)
        {
            return null;
        }

        var expired = _messages.TryGetValue(post.ThreadId, out var messages)
            ? messages.Expired(Milliseconds(batch), mail.ReadThrough).Count : 0;
        return mail.UnreadMessages - expired >= post.MaxUnread ? new PostRefused(PostResult.MailboxFull) : null;
    }

    private MessageEntry? FindKnown(MutationBatch batch, PostMessage post)
    {
        if (post.KeepIdFor is null)
        {
            return null;
        }

        var now = Milliseconds(batch);
        return (_messages.TryGetValue(post.ThreadId, out var messages) ? messages.Find(post.Message.MessageId, now) : null)
            ?? (post.IsDelivery ? null : _outbox.Find(post.ThreadId, post.Message.MessageId, now));
    }

    private MailPosted Post(MutationBatch batch, PostMessage post, ChangeFeed.Turn turn)
    {
        if (FindKnown(batch, post) is { } known)
        {
            return new MailPosted(known.IsOutgoing ? 0 : known.Place) { WasKnown = true };
        }

        var partition = Partition(post.ThreadId);
        if (partition.Mail.UnreadMessages >= post.MaxUnread && _messages.TryGetValue(post.ThreadId, out var messages))
        {
            foreach (var expired in messages.Expired(Milliseconds(batch), after: 0))
            {
                Expire(partition, expired, batch.Time);
            }
        }

        var sequence = PostTo(partition, post.Message, turn);
        if (post.KeepIdFor is { } keep)
        {
            Remember(post.ThreadId, post.Message, sequence, keep);
        }

        return new MailPosted(sequence);
    }

    private void Remember(string threadId, ThreadMessage message, long sequence, TimeSpan keep)
    {
        var entry = new MessageEntry(
            threadId, message.MessageId, isOutgoing: false, sequence, (long)keep.TotalMilliseconds, message.ExpiresAt?.ToUnixTimeMilliseconds());
        if (_messages.GetOrAdd(threadId, static _ => new ThreadMessages()).Add(entry) is { } forgotten)
        {
            _agenda.Plan(forgotten, null);
        }

        if (entry.ExpiresMs is not null)
        {
            _agenda.Plan(entry, entry.ExpiresMs);
        }
    }

    /// <summary>Of the messages that a reader is done with, those that had expired before have failed; of the others the ids are kept for a while.</summary>
    private void AcknowledgeMessages(ThreadPartition partition, long through, DateTimeOffset now)
    {
        if (partition.Mail.UnacknowledgedMessages == 0 || !_messages.TryGetValue(partition.ThreadId, out var messages))
        {
            return;
        }

        var nowMs = now.ToUnixTimeMilliseconds();
        foreach (var entry in messages.TakeWaiting(through))
        {
            if (entry.HasExpired(nowMs))
            {
                Expire(partition, entry, now);
            }
            else
            {
                End(entry, nowMs);
            }
        }
    }

    private void End(MessageEntry entry, long nowMs)
    {
        entry.EndAt(nowMs);
        _agenda.Plan(entry, entry.ForgetMs);
    }

    /// <summary>Makes a failed message of one in a mailbox whose partition is locked.</summary>
    private void Expire(ThreadPartition partition, MessageEntry entry, DateTimeOffset now)
    {
        if (partition.Mail.Take(entry.Place) is ThreadMessage message)
        {
            Fail(message.FromThreadId, partition.ThreadId, message, isOutgoing: false, 0, FailureReasons.Expired(message), 0, now);
        }

        End(entry, now.ToUnixTimeMilliseconds());
    }

    private void Fail(
        string sender, string toThreadId, MailEvent mail, bool isOutgoing, long sequence, string reason, int attempts, DateTimeOffset now)
    {
        var entry = new FailedList.Entry(
            Interlocked.Increment(ref _failedNumber), toThreadId, mail, isOutgoing, sequence, reason, attempts, now);
        if (mail is not ThreadMessage)
        {
            var letters = _letters.GetOrAdd(toThreadId, static _ => []);
            lock (letters)
            {
                letters.Add(sequence, entry);
            }
        }

        _failed.GetOrAdd(sender, static thread => new FailedList(thread)).Add(entry);
        _grown.TryAdd(sender, true);
    }

    private void Fail(Outbox.Entry entry, string reason, DateTimeOffset now)
    {
        var nowMs = now.ToUnixTimeMilliseconds();
        _outbox.Remove(entry, nowMs);
        End(entry.Known, nowMs);
        Fail(entry.Message.FromThreadId, entry.ThreadId, entry.Message, isOutgoing: true, 0, reason, entry.Attempts, now);
    }

    private MailPosted Post(MutationBatch batch, PostToOutbox post)
    {
        var now = Milliseconds(batch);
        var inMailbox = _messages.TryGetValue(post.ThreadId, out var messages) ? messages.Find(post.Message.MessageId, now) : null;
        if ((inMailbox ?? _outbox.Find(post.ThreadId, post.Message.MessageId, now)) is { } known)
        {
            return new MailPosted(known.IsOutgoing ? 0 : known.Place) { WasKnown = true };
        }

        AddToOutbox(post.ThreadId, post.Message, post.KeepIdFor, now);
        return new MailPosted(0);
    }

    private void AddToOutbox(string threadId, ThreadMessage message, TimeSpan keep, long nowMs)
    {
        var (added, before) = _outbox.Add(threadId, message, (long)keep.TotalMilliseconds, nowMs);
        if (before is not null)
        {
            _agenda.Plan(before, null);
        }

        if (added.Known.ExpiresMs is not null)
        {
            _agenda.Plan(added.Known, added.Known.ExpiresMs);
        }
    }

    private OutboxClaimed Claim(MutationBatch batch, ClaimOutbox claim)
    {
        var now = Milliseconds(batch);
        var failed = 0;
        var claimed = new List<OutgoingMessage>();
        while (claimed.Count < claim.Limit && failed < claim.Limit && _outbox.TakeReady(now) is { } entry)
        {
            if (FailureReasons.BeforeAttempt(entry.Message, entry.Attempts, claim.MaxAttempts, batch.Time) is { } reason)
            {
                Fail(entry, reason, batch.Time);
                failed++;
                continue;
            }

            entry.Claim = batch.Host.Epoch;
            entry.Attempts++;
            claimed.Add(new OutgoingMessage(entry.Number, entry.ThreadId, entry.Message, entry.Attempts));
        }

        return new OutboxClaimed(claimed, Time(_outbox.NextDueMs), failed, Trim(claim.MaxFailed));
    }

    private OutgoingSettled Settle(MutationBatch batch, SettleOutgoing settle)
    {
        var isHeld = _outbox.Find(settle.Number) is { } held && held.Claim == batch.Host.Epoch && held.Attempts == settle.Attempt;
        var hasFailed = isHeld && !Settle(_outbox.Find(settle.Number)!, settle, batch.Time);
        return new OutgoingSettled(isHeld, hasFailed, Time(_outbox.NextDueMs), hasFailed ? Trim(settle.MaxFailed) : 0);
    }

    /// <summary>Tells whether the message was sent or may still be.</summary>
    private bool Settle(Outbox.Entry entry, SettleOutgoing settle, DateTimeOffset now)
    {
        var nowMs = now.ToUnixTimeMilliseconds();
        switch (settle.End)
        {
            case AttemptEnd.Sent:
                _outbox.Remove(entry, nowMs);
                End(entry.Known, nowMs);
                return true;
            case AttemptEnd.HandedBack:
                entry.Attempts--;
                _outbox.MakeReady(entry, nowMs);
                return true;
            case AttemptEnd.Retry when !entry.Message.IsExpired(settle.RetryAt):
                _outbox.MakeReady(entry, settle.RetryAt.ToUnixTimeMilliseconds());
                return true;
            default:
                Fail(entry, FailureReasons.AfterAttempt(entry.Message, settle), now);
                return false;
        }
    }

    /// <summary>Gives back what a host had taken out of the outbox. Its fence is closed, so it takes no more.</summary>
    private void ReleaseClaims(HostFence fence, DateTimeOffset now)
    {
        lock (_outbox.Gate)
        {
            _outbox.Release(fence.Epoch, now.ToUnixTimeMilliseconds());
        }
    }

    private MessagesExpired Expire(MutationBatch batch, ExpireMessages expire)
    {
        var now = Milliseconds(batch);
        var due = _agenda.Due(now, expire.Limit);
        var count = due.Count(entry => entry.IsOutgoing ? SweepOutgoing(entry, batch.Time, now) : SweepMail(entry, batch.Time, now));
        return new MessagesExpired(count, Trim(expire.MaxFailed), due.Count == expire.Limit);
    }

    /// <summary>Tells whether a message expired; the other thing to do is to forget an id.</summary>
    private bool SweepMail(MessageEntry entry, DateTimeOffset now, long nowMs)
    {
        var partition = Partition(entry.ThreadId);
        lock (partition)
        {
            if (entry.HasExpired(nowMs))
            {
                Expire(partition, entry, now);
                return true;
            }

            if (entry.IsForgotten(nowMs) && _messages.TryGetValue(entry.ThreadId, out var messages))
            {
                messages.Forget(entry);
                _agenda.Plan(entry, null);
                if (messages.IsEmpty)
                {
                    _messages.TryRemove(entry.ThreadId, out _);
                }
            }

            return false;
        }
    }

    private bool SweepOutgoing(MessageEntry entry, DateTimeOffset now, long nowMs)
    {
        lock (_outbox.Gate)
        {
            if (entry.IsForgotten(nowMs))
            {
                _outbox.Forget(entry);
                _agenda.Plan(entry, null);
            }

            if (!entry.HasExpired(nowMs) || _outbox.Find(entry.Place) is not { Claim: 0 } waiting)
            {
                return false;
            }

            Fail(waiting, FailureReasons.Expired(waiting.Message), now);
            return true;
        }
    }

    private MessagesReplayed Replay(MutationBatch batch, ReplayFailedMessages replay)
    {
        if (!_failed.TryGetValue(replay.ThreadId, out var failed))
        {
            return new MessagesReplayed(0, 0);
        }

        int count = 0, left = 0;
        foreach (var entry in Asked(failed, replay.Numbers))
        {
            if (Replay(batch, replay, failed, entry))
            {
                count++;
            }
            else
            {
                left++;
            }
        }

        return new MessagesReplayed(count, left);
    }

    private bool Replay(MutationBatch batch, ReplayFailedMessages replay, FailedList failed, FailedList.Entry entry)
    {
        if (entry is { Mail: ThreadMessage outgoing, IsOutgoing: true })
        {
            lock (_outbox.Gate)
            {
                if (failed.Remove(entry))
                {
                    AddToOutbox(entry.ToThreadId, outgoing with { ExpiresAt = replay.ExpiresAt }, replay.KeepIdFor, Milliseconds(batch));
                }
            }

            return true;
        }

        var agents = entry.Mail is ThreadMessage ? [] : LiveAgents(entry.ToThreadId);
        var partition = Partition(entry.ToThreadId);
        lock (partition)
        {
            if (partition.Mail.UnreadMessages >= replay.MaxUnread)
            {
                return false;
            }

            using var turn = _feed.TakeTurn();
            if (entry.Mail is ThreadMessage message)
            {
                if (failed.Remove(entry))
                {
                    message = message with { ExpiresAt = replay.ExpiresAt };
                    Remember(entry.ToThreadId, message, PostTo(partition, message, turn), replay.KeepIdFor);
                }

                return true;
            }

            if (agents.Find(task => task is { IsLive: true, Agent.IsClosed: false } && task.Agent.Reader == partition.Mail.Reader) is not { } agent
                || !AgentMessage.TryRead(entry.Mail, out var from, out var content))
            {
                return false;
            }

            if (failed.Remove(entry))
            {
                Unbury(entry);
                PostTo(partition, AgentMessage.Create(agent.TaskId, from, content), turn);
            }

            return true;
        }
    }

    /// <summary>The live agents of a thread. Replaying is rare, so they are looked for among all tasks; but only where there is one.</summary>
    private List<TaskRecord> LiveAgents(string threadId)
    {
        if (!_partitions.TryGetValue(threadId, out var partition))
        {
            return [];
        }

        lock (partition)
        {
            if (partition.LiveAgents == 0)
            {
                return [];
            }
        }

        return [.. _directory.All.Where(task => task.IsLive && task.Agent?.ThreadId == threadId)];
    }

    private FailedMessagesCleared Clear(ClearFailedMessages clear) => new(
        _failed.TryGetValue(clear.ThreadId, out var failed) ? Asked(failed, clear.Numbers).Count(entry => Drop(failed, entry)) : 0);

    private static IEnumerable<FailedList.Entry> Asked(FailedList failed, IReadOnlyCollection<long>? numbers)
    {
        var asked = numbers?.ToHashSet();
        return failed.All().Where(entry => asked is null || asked.Contains(entry.Number));
    }

    private bool Drop(FailedList failed, FailedList.Entry entry)
    {
        if (!failed.Remove(entry))
        {
            return false;
        }

        Unbury(entry);
        return true;
    }

    /// <summary>Drops the oldest failed messages of the threads to which some came, where there are too many.</summary>
    private int Trim(int max)
    {
        var dropped = 0;
        foreach (var sender in _grown.Keys)
        {
            if (_grown.TryRemove(sender, out _) && _failed.TryGetValue(sender, out var failed))
            {
                dropped += failed.Beyond(max).Count(entry => Drop(failed, entry));
            }
        }

        return dropped;
    }

    /// <summary>Sets the messages aside that an agent had not acknowledged when it ended; its owner's thread sent them.</summary>
    private void Bury(TaskRecord agent, Mailbox mail, string agentThreadId, DateTimeOffset now)
    {
        foreach (var (sequence, message) in mail.Bury(agent.TaskId))
        {
            Fail(agent.Owner.ThreadId, agentThreadId, message, isOutgoing: false, sequence, AgentEnded, 0, now);
        }
    }

    private void Unbury(FailedList.Entry entry)
    {
        if (entry.Mail is not ThreadMessage && _letters.TryGetValue(entry.ToThreadId, out var letters))
        {
            lock (letters)
            {
                letters.Remove(entry.Sequence);
            }
        }
    }

    private IReadOnlyList<DeadLetter> DeadLetters(string threadId)
    {
        if (!_letters.TryGetValue(threadId, out var letters))
        {
            return [];
        }

        lock (letters)
        {
            return [.. letters.Values.Select(static letter => new DeadLetter(letter.Sequence, letter.Mail, letter.Reason))];
        }
    }
}
