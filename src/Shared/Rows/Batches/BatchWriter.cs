namespace Coppice.Rows;

/// <summary>Writes one batch within the open transaction of a store: whole, or not at all.</summary>
internal sealed class BatchWriter
{
    private readonly IRowStore _store;
    private readonly BatchContext _context;
    private readonly SpawnWriter _spawn;
    private readonly FinishWriter _finish;
    private readonly WorkWriter _work;
    private readonly StepWriter _steps;
    private readonly CancelWriter _cancel;
    private readonly MailWriter _mail;
    private readonly ConversationWriter _conversation;
    private readonly MessageWriter _messages;
    private readonly OutboxWriter _outbox;
    private readonly HostWriter _host;
    private readonly RestoreWriter _restore;

    public BatchWriter(IRowStore store)
    {
        _store = store;
        _context = new BatchContext(store);
        var post = new MailPost(_context);
        var queue = new WorkQueue(_context);
        _spawn = new SpawnWriter(_context, post, queue);
        _finish = new FinishWriter(_context, post, queue);
        _work = new WorkWriter(_context, queue, post, _finish);
        _steps = new StepWriter(_context);
        _cancel = new CancelWriter(_context, _finish);
        _messages = new MessageWriter(_context, post);
        _outbox = new OutboxWriter(_context, _messages);
        _mail = new MailWriter(_context, post, _messages);
        _conversation = new ConversationWriter(_context, _mail);
        _host = new HostWriter(_context, post, _work);
        _restore = new RestoreWriter(_context, post);
    }

    /// <summary>Writes a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="notices">Where what listeners hear of it is added, if it lands.</param>
    public WrittenBatch Write(MutationBatch batch, Notices notices)
    {
        var isJoin = batch.Mutations is [JoinHost] && batch.Host == HostFence.None;
        if (!isJoin && !_context.Hosts.IsOpen(batch.Host))
        {
            return new WrittenBatch(CommitStatus.Fenced, 0, []);
        }

        _context.Start(batch, notices);
        try
        {
            return batch.Mutations.Count == 1 ? WriteOne(batch.Mutations[0]) : WriteAll(batch.Mutations);
        }
        finally
        {
            _context.End();
        }
    }

    /// <summary>One mutation changes nothing before it is sure, so it needs no savepoint.</summary>
    private WrittenBatch WriteOne(Mutation mutation)
    {
        var answer = Write(mutation);
        return IsRefusal(answer) ? Refused([answer]) : Landed([answer]);
    }

    private WrittenBatch WriteAll(IReadOnlyList<Mutation> mutations)
    {
        _context.Applying = false;
        var judged = WriteEach(mutations);
        if (judged.Any(IsRefusal))
        {
            return Refused(judged);
        }

        _context.Applying = true;
        var notices = _context.Notices.Count;
        _store.BeginBatch();
        var answers = WriteEach(mutations);
        if (!answers.Any(IsRefusal))
        {
            _store.KeepBatch();
            return Landed(answers);
        }

        // Each would have been fine alone; one refuses what another of the same batch has made.
        _store.TakeBackBatch();
        _context.Notices.CutTo(notices);
        return Refused([.. answers.Select(answer => IsRefusal(answer) ? answer : NotApplied.Instance)]);
    }

    private MutationAnswer[] WriteEach(IReadOnlyList<Mutation> mutations)
    {
        var answers = new MutationAnswer[mutations.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = Write(mutations[i]);
        }

        return answers;
    }

    private MutationAnswer Write(Mutation mutation) => mutation switch
    {
        AddTask add => _spawn.Write(add),
        FinishTask end => _finish.Write(end),
        PostEvents events => _finish.Write(events),
        MoveTask move => _finish.Write(move),
        CloseAgentInbox close => _finish.Write(close),
        ClaimWork claim => _work.Write(claim),
        HandBackWork handBack => _work.Write(handBack),
        StoreStep step => _steps.Write(step),
        StoreCheckpoint checkpoint => _steps.Write(checkpoint),
        SendMessage send => _mail.Write(send),
        PostMessage message => _messages.Write(message),
        AcknowledgeMail acknowledge => _mail.Write(acknowledge),
        PostInput input => _mail.Write(input),
        AppendConversation append => _conversation.Write(append),
        ForgetConversation forget => _conversation.Write(forget),
        OpenMailbox open => _mail.Write(open),
        CloseMailbox close => _mail.Write(close),
        RequestCancel cancel => _cancel.Write(cancel),
        RestoreTasks restore => _restore.Write(restore),
        PruneTasks prune => _restore.Write(prune),
        JoinHost join => _host.Write(join),
        SettleHost settle => _host.Write(settle),
        LeaveHost leave => _host.Write(leave),
        PostToOutbox message => _outbox.Write(message),
        ClaimOutbox claim => _outbox.Write(claim),
        SettleOutgoing settle => _outbox.Write(settle),
        ExpireMessages expire => _messages.Write(expire),
        ReplayFailedMessages replay => _messages.Write(replay),
        ClearFailedMessages clear => _messages.Write(clear),
        _ => throw new NotSupportedException($"This store does not know the mutation {mutation.GetType().Name}."),
    };

    private WrittenBatch Landed(IReadOnlyList<MutationAnswer> answers) =>
        new(CommitStatus.Landed, _context.Revision, answers);

    private static WrittenBatch Refused(IReadOnlyList<MutationAnswer> answers) => new(CommitStatus.Refused, 0, answers);

    private static bool IsRefusal(MutationAnswer answer) =>
        answer is AddRefused or MoveRefused or SendRefused or PostRefused or ReaderRefused or ConversationMoved;
}
