using System.Text.Json;

namespace Coppice.Testing;

/// <summary>Reads everything out of a store when no manager works on it any more, as a last host that settles what the others left.</summary>
internal sealed class Audit(
    HistoryRun run,
    Dictionary<string, IReadOnlyList<DeadLetter>> deadLetters,
    Dictionary<string, IReadOnlyList<FailedMessage>> failedMessages,
    Dictionary<string, IReadOnlyList<JsonElement>> conversations)
{
    private static readonly DateTimeOffset Time = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    private HostFence _fence = HostFence.None;
    private long _batches;

    internal void Take()
    {
        var joined = (HostJoined)Commit(new JoinHost("audit")).Answers[0];
        _fence = joined.Fence;
        foreach (var host in run.Loop.Await(() => run.Shared.Inner.HeartbeatAsync(_fence, CancellationToken.None)).Where(host => host.Fence != _fence))
        {
            Commit(new SettleHost(host.Fence));
        }

        while (((OutboxClaimed)Commit(new ClaimOutbox(1000, int.MaxValue, int.MaxValue)).Answers[0]).Messages is { Count: > 0 } waiting)
        {
            foreach (var message in waiting)
            {
                Commit(new SettleOutgoing(message.Number, message.Attempt, AttemptEnd.Sent));
            }
        }

        foreach (var threadId in Threads())
        {
            Read(threadId);
        }
    }

    private SortedSet<string> Threads()
    {
        var threads = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var entry in run.Recorder.Entries)
        {
            switch (entry)
            {
                case MailArrived arrived:
                    threads.Add(arrived.ThreadId);
                    break;
                case TaskChanged changed:
                    threads.Add(changed.Change.Task.OwnerThreadId);
                    break;
                case BatchApplied applied:
                    threads.UnionWith(applied.Batch.Mutations.OfType<AddTask>().Select(static add => add.AgentThreadId).OfType<string>());
                    threads.UnionWith(applied.Batch.Mutations.OfType<AppendConversation>().Select(static append => append.ThreadId));
                    threads.UnionWith(applied.Batch.Mutations.OfType<PostMessage>().Select(static post => post.Message.FromThreadId));
                    threads.UnionWith(applied.Batch.Mutations.OfType<PostToOutbox>().Select(static post => post.Message.FromThreadId));
                    break;
            }
        }

        return threads;
    }

    private void Read(string threadId)
    {
        var reader = new Guid(0, 0, 0x7000, 0x80, 0xAD, 0, 0, 0, (byte)(_batches >> 16), (byte)(_batches >> 8), (byte)_batches);
        Commit(new OpenMailbox(threadId, reader));
        run.Shared.ReadMail(host: null, threadId, reader, 0, int.MaxValue);
        var conversation = run.Loop.Await(() => run.Shared.Inner.ReadConversationAsync(threadId, 0, int.MaxValue, CancellationToken.None));
        if (conversation.Count > 0)
        {
            conversations[threadId] = conversation.Entries;
        }

        var dead = run.Loop.Await(() => run.Shared.Inner.ListDeadLettersAsync(threadId, CancellationToken.None));
        deadLetters[threadId] = dead;
        failedMessages[threadId] = run.Loop.Await(() => run.Shared.Inner.ListFailedMessagesAsync(threadId, CancellationToken.None));
        foreach (var letter in dead)
        {
            run.Shared.Mail.Add(threadId, letter.Sequence, letter.Event);
        }
    }

    private CommitResult Commit(Mutation mutation) => run.Shared.Commit(
        host: null, new MutationBatch(new BatchId(_fence.Epoch, ++_batches), _fence, Time, [mutation]), isUnseen: false, run.Trouble);
}
