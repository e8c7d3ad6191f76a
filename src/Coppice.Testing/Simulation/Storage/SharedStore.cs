namespace Coppice.Testing;

/// <summary>The store that all hosts of a history share, and what it tells them.</summary>
internal sealed class SharedStore : ITaskStoreListener, IDisposable
{
    private readonly SimulationLoop _loop;
    private readonly Recorder _recorder;
    private readonly List<HostFeed> _feeds = [];
    private readonly List<HistoryEntry> _told = [];
    private readonly Dictionary<BatchId, CommitResult> _unseen = [];
    private IDisposable _subscription;

    internal SharedStore(ITaskStore inner, SimulationLoop loop, Recorder recorder)
    {
        Inner = inner;
        _loop = loop;
        _recorder = recorder;
        _subscription = inner.Subscribe(this);
    }

    public bool WantsChanges => true;

    internal ITaskStore Inner { get; private set; }

    internal Recorder Recorder => _recorder;

    internal MailLedger Mail { get; } = new();

    internal long Commits { get; private set; }

    /// <summary>Goes on with a store that holds the same.</summary>
    internal void Replace(ITaskStore reopened)
    {
        _subscription.Dispose();
        Inner = reopened;
        _subscription = reopened.Subscribe(this);
        _unseen.Clear();
        _recorder.Add(new StoreReopened());
    }

    internal void Join(HostFeed feed) => _feeds.Add(feed);

    internal void Part(HostFeed feed) => _feeds.Remove(feed);

    /// <summary>Commits a batch for a host. Unseen, the host's own batch is not marked: only a look-up tells that it landed.</summary>
    internal CommitResult Commit(HostFeed? host, MutationBatch batch, bool isUnseen, Trouble trouble)
    {
        if (!isUnseen && batch.Mutations.Any(static mutation => mutation is OpenMailbox or ClaimWork or AddTask { AgentThreadId: not null, Work: null }))
        {
            // What was told of a mailbox before is heard before it is opened anew: news of one thread comes in order.
            host?.Deliver();
        }

        KeepMail(batch);
        KeepFailed(batch);
        Commits++;
        var handed = isUnseen ? new MutationBatch(batch.Id, batch.Host, batch.Time, batch.Mutations) : batch;
        var result = _loop.Await(() => Inner.CommitAsync(handed, CancellationToken.None));
        if (isUnseen && result.Status == CommitStatus.Landed)
        {
            _unseen[batch.Id] = result;
        }

        _recorder.Add(new BatchApplied(host?.Process, batch, result) { IsUnseen = isUnseen });
        foreach (var entry in _told)
        {
            _recorder.Add(entry);
        }

        _told.Clear();
        KeepPosts(batch, result);
        KeepWhatIsLeft(batch, result);
        TellOthers(host, trouble);
        return result;
    }

    internal CommitResult? Find(MutationBatch batch) =>
        _unseen.TryGetValue(batch.Id, out var unseen)
            ? unseen
            : _loop.Await(() => Inner.FindCommitAsync(batch, CancellationToken.None));

    internal MailPage ReadMail(SimulatedProcess? host, string threadId, Guid reader, long after, int limit)
    {
        var page = _loop.Await(() => Inner.ReadMailAsync(threadId, reader, after, limit, CancellationToken.None));
        if (page.Items.Count > 0)
        {
            _recorder.Add(new MailRead(host, threadId, reader, page.Items));
            Mail.Add(threadId, page.Items);
        }

        return page;
    }

    public void OnChange(TaskChange change)
    {
        _told.Add(new TaskChanged(change));
        Tell(listener => listener.OnChange(change), isChange: true);
    }

    public void OnCancelRequested(string taskId, long ownerEpoch) => Tell(listener => listener.OnCancelRequested(taskId, ownerEpoch));

    public void OnEnded(string taskId) => Tell(listener => listener.OnEnded(taskId));

    public void OnMail(string threadId, bool wakes, bool hasReader)
    {
        _told.Add(new MailArrived(threadId, wakes, hasReader));
        Tell(listener => listener.OnMail(threadId, wakes, hasReader));
    }

    public void OnMailboxOpened(string threadId, Guid reader, Guid? takenFrom) =>
        Tell(listener => listener.OnMailboxOpened(threadId, reader, takenFrom));

    public void OnMailLeftUnread(string threadId) => Tell(listener => listener.OnMailLeftUnread(threadId));

    public void OnWork(string kind, DateTimeOffset? at) => Tell(listener => listener.OnWork(kind, at));

    public void OnHostFenced(HostFence fence)
    {
        _told.Add(new HostClosed(fence));
        Tell(listener => listener.OnHostFenced(fence));
    }

    public void Dispose() => _subscription.Dispose();

    private void Tell(Action<ITaskStoreListener> news, bool isChange = false)
    {
        foreach (var feed in _feeds)
        {
            feed.Add(news, isChange);
        }
    }

    private void TellOthers(HostFeed? host, Trouble trouble)
    {
        foreach (var feed in _feeds.Where(feed => feed != host && feed.HasNews).ToList())
        {
            if (feed.Process.IsRunning && !trouble.IsNewsLate())
            {
                feed.Deliver();
            }
            else
            {
                feed.Post();
            }
        }
    }

    /// <summary>Reads what is about to be cleared, and would be gone without a trace then.</summary>
    private void KeepFailed(MutationBatch batch)
    {
        foreach (var clear in batch.Mutations.OfType<ClearFailedMessages>())
        {
            foreach (var failed in _loop.Await(() => Inner.ListFailedMessagesAsync(clear.ThreadId, CancellationToken.None)))
            {
                if (failed.MessageId.Length > 0)
                {
                    Mail.Cleared.Add((failed.ToThreadId, failed.MessageId));
                    continue;
                }

                foreach (var letter in _loop.Await(() => Inner.ListDeadLettersAsync(failed.ToThreadId, CancellationToken.None)))
                {
                    Mail.Add(failed.ToThreadId, letter.Sequence, letter.Event);
                    Mail.ClearedLetters.Add((failed.ToThreadId, letter.Sequence));
                }
            }
        }
    }

    /// <summary>A message may expire before anybody reads it.</summary>
    private void KeepPosts(MutationBatch batch, CommitResult result)
    {
        for (var i = 0; result.Status == CommitStatus.Landed && i < batch.Mutations.Count; i++)
        {
            if (batch.Mutations[i] is PostMessage post && result.Answers[i] is MailPosted { WasKnown: false } posted)
            {
                Mail.Add(post.ThreadId, posted.Sequence, post.Message);
            }
        }
    }

    private void KeepWhatIsLeft(MutationBatch batch, CommitResult result)
    {
        if (batch.Mutations[0] is PruneTasks && result.Status == CommitStatus.Landed)
        {
            var left = _loop.Await(() => Inner.ListAsync(new TaskQuery(), null, int.MaxValue, CancellationToken.None));
            _recorder.Add(new TasksForgotten(left.Select(static task => task.TaskId).ToHashSet(StringComparer.Ordinal)));
        }
    }

    private void KeepMail(string threadId, Guid reader, long through)
    {
        if (through > 0 && !Mail.Knows(threadId, through))
        {
            ReadMail(host: null, threadId, reader, 0, int.MaxValue);
        }
    }

    /// <summary>Reads what is about to be acknowledged, and would be gone then, unless somebody read it before.</summary>
    private void KeepMail(MutationBatch batch)
    {
        foreach (var mutation in batch.Mutations)
        {
            switch (mutation)
            {
                case AcknowledgeMail acknowledge: KeepMail(acknowledge.ThreadId, acknowledge.Reader, acknowledge.ThroughSequence); break;
                case AppendConversation append: KeepMail(append.ThreadId, append.Reader, append.AcknowledgeThrough); break;
            }
        }
    }
}
