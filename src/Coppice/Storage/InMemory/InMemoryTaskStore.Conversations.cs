namespace Coppice;

/// <content>Conversations.</content>
public sealed partial class InMemoryTaskStore
{
    /// <inheritdoc/>
    public ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(threadId);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_partitions.TryGetValue(threadId, out var partition))
        {
            return ValueTask.FromResult(new ConversationPage(0, []));
        }

        lock (partition)
        {
            var count = partition.ConversationCount;
            return ValueTask.FromResult(new ConversationPage(
                count, from >= count ? [] : partition.Conversation.GetRange(from, Math.Min(limit, count - from))));
        }
    }

    /// <summary>What is appended later in the same batch finds nothing.</summary>
    private static ConversationMoved? NoteForgotten(Dictionary<string, int> conversations, string threadId)
    {
        conversations[threadId] = 0;
        return null;
    }

    private MutationAnswer? CheckAppend(AppendConversation append)
    {
        if (!IsReader(append.ThreadId, append.Reader))
        {
            return ReaderRefused.Instance;
        }

        var count = Partition(append.ThreadId).ConversationCount;
        return append.FirstEntry == count ? null : new ConversationMoved(count);
    }

    private ConversationAppended Append(MutationBatch batch, AppendConversation append)
    {
        var partition = Partition(append.ThreadId);
        if (append.Entries.Count > 0)
        {
            partition.Conversation.AddRange(append.Entries);
        }

        Acknowledge(batch, partition, append.AcknowledgeThrough);
        return new ConversationAppended(partition.ConversationCount);
    }

    private ConversationForgotten Forget(ForgetConversation forget) => new(Partition(forget.ThreadId).ForgetConversation());
}
