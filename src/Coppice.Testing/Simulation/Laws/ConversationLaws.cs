using System.Text.Json;

namespace Coppice.Testing;

internal sealed class ConversationsStay : Law
{
    internal override string Title => "Law 8: a conversation holds what was appended, once and in order";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var due = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var applied in evidence.Applied)
        {
            foreach (var (append, answer) in applied.Landed<AppendConversation, ConversationAppended>())
            {
                var entries = due.TryGetValue(append.ThreadId, out var known) ? known : due[append.ThreadId] = [];
                if (append.FirstEntry != entries.Count || answer.Count != entries.Count + append.Entries.Count)
                {
                    yield return $"{append.Entries.Count} entries were appended to {append.ThreadId} from {append.FirstEntry}, and it had {entries.Count}; the answer was {answer.Count}";
                }

                entries.AddRange(append.Entries.Select(Text));
            }

            foreach (var (forget, _) in applied.Landed<ForgetConversation, ConversationForgotten>())
            {
                due.Remove(forget.ThreadId);
            }
        }

        foreach (var threadId in due.Keys.Union(evidence.Conversations.Keys))
        {
            var there = evidence.Conversations.TryGetValue(threadId, out var kept) ? kept.Select(Text).ToList() : [];
            var appended = due.GetValueOrDefault(threadId) ?? [];
            if (!there.SequenceEqual(appended))
            {
                yield return $"{threadId} has [{string.Join(", ", there)}], and appended was [{string.Join(", ", appended)}]";
            }
        }
    }

    private static string Text(JsonElement entry) => entry.GetRawText();
}

internal sealed class ConversationsHaveOneWriter : Law
{
    internal override string Title => "Law 8: a conversation is written by the reader that has the mailbox";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var readers = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var applied in evidence.Applied.Where(static applied => applied.HasLanded))
        {
            foreach (var (claim, claimed) in applied.Landed<ClaimWork, WorkClaimed>())
            {
                foreach (var threadId in claimed.Tasks.Select(static work => work.Task.AgentThreadId).OfType<string>())
                {
                    readers[threadId] = claim.AgentReader;
                }
            }

            foreach (var mutation in applied.Batch.Mutations)
            {
                switch (mutation)
                {
                    case OpenMailbox open:
                        readers[open.ThreadId] = open.Reader;
                        break;
                    case AddTask { AgentThreadId: { } threadId, Work: null } agent:
                        readers[threadId] = agent.AgentReader;
                        break;
                    case AppendConversation append when readers.GetValueOrDefault(append.ThreadId) != append.Reader:
                        yield return $"entry {append.FirstEntry} of {append.ThreadId} was written by a reader that had lost its mailbox";
                        break;
                }
            }
        }
    }
}

internal sealed class AppendsAcknowledge : Law
{
    internal override string Title => "Law 8: mail that was acknowledged with a conversation does not come again";

    internal override IEnumerable<string> Judge(Evidence evidence)
    {
        var acknowledged = evidence.Applied.SelectMany(static applied => applied.Landed<AppendConversation, ConversationAppended>())
            .GroupBy(static append => append.Mutation.ThreadId, StringComparer.Ordinal)
            .ToDictionary(static appends => appends.Key, static appends => appends.Max(append => append.Mutation.AcknowledgeThrough), StringComparer.Ordinal);
        return evidence.Entries.OfType<MailRead>().Where(static read => read.IsAudit)
            .SelectMany(static read => read.Items, static (read, item) => (read.ThreadId, item.Sequence))
            .Where(mail => mail.Sequence <= acknowledged.GetValueOrDefault(mail.ThreadId))
            .Select(static mail => $"mail {mail.Sequence} of {mail.ThreadId} is still there");
    }
}
