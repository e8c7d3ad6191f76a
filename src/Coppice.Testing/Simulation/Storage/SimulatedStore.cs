namespace Coppice.Testing;

/// <summary>
/// The store as one host has it: a call is submitted, carried out and answered, each a step of its own, with whatever goes wrong in
/// between. It keeps to what <see cref="ITaskStore"/> and <see cref="ITaskStoreListener"/> promise.
/// </summary>
internal sealed class SimulatedStore(
    SharedStore shared, SimulationLoop loop, SimulatedProcess process, SimulatedProcess wire, Trouble trouble, Action<string> crash) : ITaskStore
{
    private readonly List<CommitOnItsWay> _onTheirWay = [];

    /// <summary>Gets or sets where the host is to crash.</summary>
    internal CrashPoint? CrashPoint { get; set; }

    internal HostFeed Feed { get; } = new(loop, process);

    public long MailDepth => shared.Inner.MailDepth;

    public ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        loop.CheckThread("ITaskStore.CommitAsync");
        if (process.IsDead)
        {
            return Never<CommitResult>();
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<CommitResult>(cancellationToken);
        }

        foreach (var add in batch.Mutations.OfType<AddTask>())
        {
            shared.Recorder.Add(new Spawning(process, TaskContext.Current?.TaskId, add));
        }

        if (batch.Mutations is [ClaimWork { Limit: > 0 } claim])
        {
            shared.Recorder.Add(new Claiming(process, claim));
        }

        var what = string.Join("; ", batch.Mutations.Select(MutationText.Describe));
        var crashAt = CrashPoint?.IsNext() == true ? CrashPoint.Moment : (CrashMoment?)null;
        var fault = crashAt switch
        {
            CrashMoment.Before => FaultKind.CrashBefore,
            CrashMoment.AfterUnanswered => FaultKind.CrashAfter,
            CrashMoment.AfterAnswered => FaultKind.None,
            _ => trouble.ChooseForCommit(process, what),
        };
        if (crashAt == CrashMoment.AfterAnswered)
        {
            var answered = new CommitOnItsWay(this, batch, fault, what, cancellationToken) { CrashesWhenAnswered = true };
            answered.Send();
            return new ValueTask<CommitResult>(answered.Answer);
        }

        if (fault is FaultKind.AnsweredTooEarly or FaultKind.CrashBefore or FaultKind.CrashAfter || trouble.IsSlow())
        {
            var commit = new CommitOnItsWay(this, batch, fault, what, cancellationToken);
            commit.Send();
            return new ValueTask<CommitResult>(commit.Answer);
        }

        try
        {
            var result = CarryOut(batch, fault);
            Feed.Deliver();
            return result is null ? ValueTask.FromException<CommitResult>(FailureOf(fault)) : ValueTask.FromResult(result);
        }
        catch (Exception e)
        {
            return ValueTask.FromException<CommitResult>(e);
        }
    }

    public ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return ReadAsync(
            "look-up",
            () =>
            {
                // From the answer on nothing of it may change.
                _onTheirWay.Find(commit => commit.Batch == batch)?.Settle();
                return shared.Find(batch);
            },
            cancellationToken);
    }

    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken) =>
        ReadAsync("get " + taskId, store => store.GetAsync(taskId, CancellationToken.None), cancellationToken);

    public ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(
        TaskQuery query, TaskCursor? after, int limit, CancellationToken cancellationToken) =>
        ReadAsync("list", store => store.ListAsync(query, after, limit, CancellationToken.None), cancellationToken);

    public ValueTask<bool> HasLiveAsync(string ownerThreadId, CancellationToken cancellationToken) =>
        ReadAsync("has live", store => store.HasLiveAsync(ownerThreadId, CancellationToken.None), cancellationToken);

    public ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken) =>
        ReadAsync("find child", store => store.FindLiveChildAsync(parent, nameOrTaskId, CancellationToken.None), cancellationToken);

    public ValueTask<MailPage> ReadMailAsync(
        string threadId, Guid reader, long afterSequence, int limit, CancellationToken cancellationToken) =>
        ReadAsync("mail of " + threadId, () => shared.ReadMail(process, threadId, reader, afterSequence, limit), cancellationToken);

    public ValueTask<ConversationPage> ReadConversationAsync(string threadId, int from, int limit, CancellationToken cancellationToken) =>
        ReadAsync("conversation of " + threadId, store => store.ReadConversationAsync(threadId, from, limit, CancellationToken.None), cancellationToken);

    public ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken) =>
        ReadAsync("steps", store => store.ReadStepsAsync(taskId, from, limit, CancellationToken.None), cancellationToken);

    public ValueTask<int> CountUnreadEventsAsync(string threadId, CancellationToken cancellationToken) =>
        ReadAsync("unread events", store => store.CountUnreadEventsAsync(threadId, CancellationToken.None), cancellationToken);

    public ValueTask<IReadOnlyList<string>> ListThreadsWithUnreadMailAsync(CancellationToken cancellationToken) =>
        ReadAsync("unread threads", static store => store.ListThreadsWithUnreadMailAsync(CancellationToken.None), cancellationToken);

    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken) =>
        ReadAsync("dead letters", store => store.ListDeadLettersAsync(threadId, CancellationToken.None), cancellationToken);

    public ValueTask<IReadOnlyList<FailedMessage>> ListFailedMessagesAsync(string threadId, CancellationToken cancellationToken) =>
        ReadAsync("failed messages", store => store.ListFailedMessagesAsync(threadId, CancellationToken.None), cancellationToken);

    public ValueTask<DateTimeOffset?> FindNextExpiryAsync(CancellationToken cancellationToken) =>
        ReadAsync("next expiry", static store => store.FindNextExpiryAsync(CancellationToken.None), cancellationToken);

    public ValueTask<IReadOnlyList<HostStatus>> HeartbeatAsync(HostFence fence, CancellationToken cancellationToken) =>
        ReadAsync("heartbeat", store => store.HeartbeatAsync(fence, CancellationToken.None), cancellationToken);

    public IDisposable Subscribe(ITaskStoreListener listener) => Feed.Subscribe(listener);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>
    /// The host is gone or stands still. What it had sent may have got through or not; it does not hear of it, or finds its answer
    /// lost when it wakes.
    /// </summary>
    internal void CutOff()
    {
        foreach (var commit in _onTheirWay.ToList())
        {
            if (loop.Choices.Choose(2) == 1)
            {
                loop.Post(wire, "late commit", commit.LandUnseen);
            }
        }
    }

    private static ValueTask<T> Never<T>() => new(new TaskCompletionSource<T>().Task);

    private static TaskStoreException FailureOf(FaultKind fault) => Trouble.Failure(isKnown: fault == FaultKind.Refused);

    /// <summary>Stores a batch unless the fault is that it is not stored. Without an answer to give there is no result.</summary>
    private CommitResult? CarryOut(MutationBatch batch, FaultKind fault)
    {
        if (fault is FaultKind.Refused or FaultKind.NotStored)
        {
            return null;
        }

        var result = shared.Commit(Feed, batch, isUnseen: fault == FaultKind.AnswerLostUnseen, trouble);
        return fault is FaultKind.None or FaultKind.CrashAfter ? result : null;
    }

    private ValueTask<T> ReadAsync<T>(string what, Func<ITaskStore, ValueTask<T>> read, CancellationToken cancellationToken) =>
        ReadAsync(what, () => loop.Await(() => read(shared.Inner)), cancellationToken);

    private ValueTask<T> ReadAsync<T>(string what, Func<T> read, CancellationToken cancellationToken)
    {
        loop.CheckThread("ITaskStore, " + what);
        if (process.IsDead)
        {
            return Never<T>();
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<T>(cancellationToken);
        }

        var fails = trouble.ChooseForRead(process, what);
        if (!trouble.IsSlow())
        {
            try
            {
                return fails ? ValueTask.FromException<T>(Trouble.Failure(isKnown: false)) : ValueTask.FromResult(read());
            }
            catch (Exception e)
            {
                return ValueTask.FromException<T>(e);
            }
        }

        var answer = new TaskCompletionSource<T>();
        loop.Post(process, what, () =>
        {
            var (value, failure) = fails ? (default, Trouble.Failure(isKnown: false)) : Try(read);
            loop.Post(process, "answer to " + what, () =>
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    answer.SetCanceled(cancellationToken);
                }
                else if (failure is not null)
                {
                    answer.SetException(failure);
                }
                else
                {
                    answer.SetResult(value!);
                }
            });
        });
        return new ValueTask<T>(answer.Task);
    }

    private static (T? Value, Exception? Failure) Try<T>(Func<T> work)
    {
        try
        {
            return (work(), null);
        }
        catch (Exception e)
        {
            return (default, e);
        }
    }

    /// <summary>A batch that was handed in and is not answered yet.</summary>
    private sealed class CommitOnItsWay(
        SimulatedStore store, MutationBatch batch, FaultKind fault, string what, CancellationToken cancellationToken)
    {
        private readonly TaskCompletionSource<CommitResult> _answer = new();
        private WorkItem? _arrival;

        internal bool CrashesWhenAnswered { get; init; }

        internal MutationBatch Batch => batch;

        internal Task<CommitResult> Answer => _answer.Task;

        internal void Send()
        {
            store._onTheirWay.Add(this);
            _arrival = store.Loop.Post(store.Process, "commit", Arrive);
            if (fault == FaultKind.AnsweredTooEarly)
            {
                store.Loop.Post(store.Process, "answer", () => Fail(Trouble.Failure(isKnown: false)));
            }
        }

        /// <summary>Makes an end of it: it arrives now or never.</summary>
        internal void Settle()
        {
            if (store.Loop.Choices.Choose(2) == 0)
            {
                Arrive();
            }
            else
            {
                Leave();
            }
        }

        /// <summary>Its host does not hear that it lands.</summary>
        internal void LandUnseen()
        {
            if (!store._onTheirWay.Contains(this))
            {
                return;
            }

            Leave();
            store.Shared.Commit(store.Feed, batch, isUnseen: true, store.Trouble);
            if (!store.Process.IsDead && !_answer.Task.IsCompleted && fault != FaultKind.AnsweredTooEarly)
            {
                store.Trouble.Note(store.Process, FaultKind.AnswerLostUnseen, what);
                PostAnswer(() => _answer.TrySetException(Trouble.Failure(isKnown: false)));
            }
        }

        private void Leave()
        {
            store._onTheirWay.Remove(this);
            _arrival?.Withdraw();
        }

        private void Arrive()
        {
            Leave();
            if (cancellationToken.IsCancellationRequested)
            {
                PostAnswer(() => _answer.TrySetCanceled(cancellationToken));
                return;
            }

            if (fault == FaultKind.CrashBefore)
            {
                Crash(fault);
                return;
            }

            try
            {
                var result = store.CarryOut(batch, fault);
                if (fault == FaultKind.CrashAfter)
                {
                    Crash(fault);
                }
                else if (result is null)
                {
                    PostAnswer(() => _answer.TrySetException(FailureOf(fault)));
                }
                else
                {
                    PostAnswer(() => _answer.TrySetResult(result));
                }
            }
            catch (Exception e)
            {
                PostAnswer(() => _answer.TrySetException(e));
            }
        }

        private void Crash(FaultKind kind)
        {
            store.Trouble.Note(store.Process, kind, what);
            store.Crash(kind == FaultKind.CrashBefore ? $"before it could {what}" : $"after it had stored: {what}");
        }

        private void PostAnswer(Action answer) => store.Loop.Post(store.Process, "answer", () =>
        {
            store.Feed.Deliver();
            answer();
            if (CrashesWhenAnswered)
            {
                store.Crash("after it was answered: " + what);
            }
        });

        private void Fail(Exception failure)
        {
            store.Feed.Deliver();
            _answer.TrySetException(failure);
        }
    }

    private SimulationLoop Loop => loop;

    private SimulatedProcess Process => process;

    private SharedStore Shared => shared;

    private Trouble Trouble => trouble;

    private Action<string> Crash => crash;
}
