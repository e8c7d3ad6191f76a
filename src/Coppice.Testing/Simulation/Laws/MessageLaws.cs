namespace Coppice.Testing;

internal sealed class PostedMessagesEndOnce : Law
{
    internal override string Title => "Law 11: an accepted message is in its mailbox once, is acknowledged, or has failed, and no two of them";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var acknowledgements = evidence.Applied.SelectMany(AcknowledgementsIn).ToLookup(static each => each.ThreadId, StringComparer.Ordinal);
        var seen = new HashSet<(string, string)>();

        // A message that came back to the store it left may have failed in the outbox, for all the outbox knew, and have arrived.
        var left = evidence.Applied.SelectMany(static applied => applied.Landed<PostToOutbox, MailPosted>())
            .Select(static post => (post.Mutation.ThreadId, post.Mutation.Message.MessageId)).ToHashSet();
        foreach (var (post, answer) in evidence.Applied.SelectMany(static applied => applied.Landed<PostMessage, MailPosted>()))
        {
            if (answer is { WasKnown: true, Sequence: 0 })
            {
                // It is the outbox that knows it.
                continue;
            }

            var (threadId, messageId) = (post.ThreadId, post.Message.MessageId);
            if (!seen.Add((threadId, messageId)))
            {
                continue;
            }

            var places = evidence.Mail.Threads.GetValueOrDefault(threadId)?
                .Where(item => item.Value is ThreadMessage message && message.MessageId == messageId).ToList() ?? [];
            if (places.Count != 1 && !evidence.HasReplays)
            {
                yield return $"message {messageId} to {threadId} was accepted, and was in its mailbox {places.Count} times";
                continue;
            }

            if (left.Contains((threadId, messageId)))
            {
                continue;
            }

            var waits = evidence.Entries.OfType<MailRead>().Where(read => read.IsAudit && read.ThreadId == threadId)
                .SelectMany(static read => read.Items).Count(item => places.Exists(place => place.Key == item.Sequence));
            var failed = places.Exists(place => evidence.HasFailed(threadId, place.Value)) ? 1 : 0;
            var passed = places.Where(place => acknowledgements[threadId].Any(each => each.Through >= place.Key)).ToList();
            if (waits + failed > 1 || (waits + failed == 0 && passed.Count == 0))
            {
                yield return $"message {messageId} to {threadId} waits {waits} times, has failed {failed} times and was acknowledged {passed.Count} times";
            }
            else if (failed == 1 && !evidence.HasReplays && passed.Exists(place => IsInTime(
                evidence, (ThreadMessage)place.Value, acknowledgements[threadId].First(each => each.Through >= place.Key).Applied)))
            {
                yield return $"message {messageId} to {threadId} was acknowledged in time and has failed";
            }
        }
    }

    /// <summary>Mail is acknowledged by itself, or together with what was made of it.</summary>
    private static IEnumerable<(string ThreadId, long Through, BatchApplied Applied)> AcknowledgementsIn(BatchApplied applied) =>
        applied.Landed<AcknowledgeMail, MailAcknowledged>().Select(each => (each.Mutation.ThreadId, each.Answer.ThroughSequence, applied))
            .Concat(applied.Landed<AppendConversation, ConversationAppended>().Select(each => (each.Mutation.ThreadId, each.Mutation.AcknowledgeThrough, applied)));

    /// <summary>Whether nobody can have found the message expired before it was acknowledged.</summary>
    private static bool IsInTime(Evidence evidence, ThreadMessage message, BatchApplied acknowledged) =>
        !evidence.Applied.Any(applied => applied.Number <= acknowledged.Number && message.IsExpired(applied.Batch.Time));
}
