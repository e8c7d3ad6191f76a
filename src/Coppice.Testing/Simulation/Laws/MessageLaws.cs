namespace Coppice.Testing;

internal sealed class PostedMessagesEndOnce : Law
{
    internal override string Title => "Law 11: an accepted message is in its mailbox once, is acknowledged, or has failed, and no two of them";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var acknowledgements = evidence.Applied
            .SelectMany(static applied => applied.Landed<AcknowledgeMail, MailAcknowledged>().Select(each => (Applied: applied, each.Mutation, each.Answer)))
            .ToLookup(static each => each.Mutation.ThreadId, StringComparer.Ordinal);
        var seen = new HashSet<(string, string)>();

        // A message that came back to the store it left may have failed in the outbox, for all the outbox knew, and have arrived.
        var left = evidence.Applied.SelectMany(static applied => applied.Landed<PostToOutbox, MailPosted>())
            .Select(static post => (post.Mutation.ThreadId, post.Mutation.Message.MessageId)).ToHashSet();
        foreach (var (post, _) in evidence.Applied.SelectMany(static applied => applied.Landed<PostMessage, MailPosted>()))
        {
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
            var passed = places.Where(place => acknowledgements[threadId].Any(each => each.Answer.ThroughSequence >= place.Key)).ToList();
            if (waits + failed > 1 || (waits + failed == 0 && passed.Count == 0))
            {
                yield return $"message {messageId} to {threadId} waits {waits} times, has failed {failed} times and was acknowledged {passed.Count} times";
            }
            else if (failed == 1 && !evidence.HasReplays && passed.Exists(place => IsInTime(
                evidence, (ThreadMessage)place.Value, acknowledgements[threadId].First(each => each.Answer.ThroughSequence >= place.Key).Applied)))
            {
                yield return $"message {messageId} to {threadId} was acknowledged in time and has failed";
            }
        }
    }

    /// <summary>Whether nobody can have found the message expired before it was acknowledged.</summary>
    private static bool IsInTime(Evidence evidence, ThreadMessage message, BatchApplied acknowledged) =>
        !evidence.Applied.Any(applied => applied.Number <= acknowledged.Number && message.IsExpired(applied.Batch.Time));
}

internal sealed class SendersStayInOrder : Law
{
    internal override string Title => "Law 11: messages of one sender are in a mailbox in the order in which they were accepted";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var last = new Dictionary<(string From, string To), long>();
        foreach (var (post, answer) in evidence.Applied.SelectMany(static applied => applied.Landed<PostMessage, MailPosted>())
            .Where(static post => !post.Answer.WasKnown))
        {
            var lane = (post.Message.FromThreadId, post.ThreadId);
            if (last.TryGetValue(lane, out var before) && before >= answer.Sequence)
            {
                yield return $"message {post.Message.MessageId} of {lane.FromThreadId} to {lane.ThreadId} is mail {answer.Sequence}, after mail {before}";
            }

            last[lane] = answer.Sequence;
        }
    }
}
