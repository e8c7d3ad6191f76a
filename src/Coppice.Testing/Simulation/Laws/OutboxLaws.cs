namespace Coppice.Testing;

internal sealed class OutgoingMessagesEndOnce : Law
{
    internal override string Title => "Law 11: a message in the outbox was sent, has failed, or waits there, and no two of them";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var ids = new Dictionary<long, (string ThreadId, string MessageId)>();
        var ends = new Dictionary<(string ThreadId, string MessageId), int>();
        foreach (var applied in evidence.Applied)
        {
            foreach (var (_, claimed) in applied.Landed<ClaimOutbox, OutboxClaimed>())
            {
                foreach (var message in claimed.Messages)
                {
                    ids[message.Number] = (message.ToThreadId, message.Message.MessageId);
                }
            }

            // The audit sends what still waits.
            foreach (var (settle, _) in applied.Landed<SettleOutgoing, OutgoingSettled>()
                .Where(static each => each.Answer.WasHeld && each.Mutation.End == AttemptEnd.Sent))
            {
                ends[ids[settle.Number]] = ends.GetValueOrDefault(ids[settle.Number]) + 1;
            }
        }

        foreach (var failed in evidence.FailedMessages.Values.SelectMany(static all => all))
        {
            ends[(failed.ToThreadId, failed.MessageId)] = ends.GetValueOrDefault((failed.ToThreadId, failed.MessageId)) + 1;
        }

        foreach (var cleared in evidence.Mail.Cleared)
        {
            ends[cleared] = ends.GetValueOrDefault(cleared) + 1;
        }

        // What was brought back into the same store may have failed there.
        var delivered = evidence.Applied.SelectMany(static applied => applied.Landed<PostMessage, MailPosted>())
            .Select(static post => (post.Mutation.ThreadId, post.Mutation.Message.MessageId)).ToHashSet();
        return evidence.Applied.SelectMany(static applied => applied.Landed<PostToOutbox, MailPosted>())
            .Where(static post => !post.Answer.WasKnown)
            .Select(post => (post.Mutation, Count: ends.GetValueOrDefault((post.Mutation.ThreadId, post.Mutation.Message.MessageId))))
            .Where(post => post.Count == 0 || (!evidence.HasReplays
                && post.Count > (delivered.Contains((post.Mutation.ThreadId, post.Mutation.Message.MessageId)) ? 2 : 1)))
            .Select(static post => $"message {post.Mutation.Message.MessageId} to {post.Mutation.ThreadId} came to {post.Count} ends");
    }
}

internal sealed class OneHostSendsAMessage : Law
{
    internal override string Title => "Law 11: of one sender and one recipient one message at a time is sent, by one host, in order";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var held = new Dictionary<(string From, string To), (long Number, HostFence Host)>();
        var last = new Dictionary<(string From, string To), long>();
        foreach (var entry in evidence.Entries)
        {
            if (entry is StoreReopened)
            {
                // Every host of the process that had the store is gone.
                held.Clear();
            }

            if (entry is not BatchApplied applied)
            {
                continue;
            }

            foreach (var (_, claimed) in applied.Landed<ClaimOutbox, OutboxClaimed>())
            {
                foreach (var message in claimed.Messages)
                {
                    var lane = (message.Message.FromThreadId, message.ToThreadId);
                    if (held.TryGetValue(lane, out var other)
                        && !(evidence.Closed.TryGetValue(other.Host.Epoch, out var closing) && closing.By.Number <= applied.Number))
                    {
                        yield return $"message {message.Number} of {lane.FromThreadId} to {lane.ToThreadId} was given out while "
                            + $"{other.Host.HostId} of epoch {other.Host.Epoch} had message {other.Number}";
                    }

                    if (message.Number < last.GetValueOrDefault(lane))
                    {
                        yield return $"message {message.Number} of {lane.FromThreadId} to {lane.ToThreadId} was given out after message {last[lane]}";
                    }

                    held[lane] = (message.Number, applied.Batch.Host);
                    last[lane] = message.Number;
                }
            }

            foreach (var (settle, _) in applied.Landed<SettleOutgoing, OutgoingSettled>().Where(static each => each.Answer.WasHeld))
            {
                foreach (var lane in held.Where(lane => lane.Value.Number == settle.Number).Select(static lane => lane.Key).ToList())
                {
                    held.Remove(lane);
                }
            }
        }
    }
}
