namespace Coppice.StoreContract;

/// <summary>A host of a store that hands in its batches by hand, as a manager would.</summary>
public sealed class StoreHost
{
    private readonly ITaskStore _store;
    private long _batches;

    /// <summary>Speaks for a host.</summary>
    /// <param name="store">The store.</param>
    /// <param name="fence">The host's fence; it need not be one that the store knows.</param>
    public StoreHost(ITaskStore store, HostFence fence)
    {
        _store = store;
        Fence = fence;
    }

    /// <summary>Gets the fence.</summary>
    public HostFence Fence { get; }

    /// <summary>Gets or sets the host's time, which its batches carry.</summary>
    public DateTimeOffset Now { get; set; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Joins a store.</summary>
    public static async Task<StoreHost> JoinAsync(ITaskStore store, string hostId = "host") => (await JoinWithOrphansAsync(store, hostId)).Host;

    /// <summary>Joins a store, and tells which tasks that settled.</summary>
    public static async Task<(StoreHost Host, IReadOnlyList<string> Orphans)> JoinWithOrphansAsync(ITaskStore store, string hostId = "host")
    {
        ArgumentNullException.ThrowIfNull(store);
        var stranger = new StoreHost(store, HostFence.None);
        var joined = Assert.IsType<HostJoined>(await stranger.AnswerAsync(new JoinHost(hostId)));
        Assert.Equal(hostId, joined.Fence.HostId);
        return (new StoreHost(store, joined.Fence), joined.Orphans);
    }

    /// <summary>Makes a batch.</summary>
    public MutationBatch Batch(params Mutation[] mutations) => Batch(null, mutations);

    /// <summary>Makes a batch that tells when it has landed.</summary>
    public MutationBatch Batch(Action<CommitResult>? landed, params Mutation[] mutations)
    {
        // Hosts that have not joined share an epoch, so their numbers are drawn at random.
        var number = Fence == HostFence.None ? Random.Shared.NextInt64() : Interlocked.Increment(ref _batches);
        return new MutationBatch(new BatchId(Fence.Epoch, number), Fence, Now, mutations, landed);
    }

    /// <summary>Hands a batch in.</summary>
    public Task<CommitResult> CommitAsync(params Mutation[] mutations) =>
        _store.CommitAsync(Batch(mutations), TestContext.Current.CancellationToken).Within();

    /// <summary>Hands in a batch of one mutation that has to land, and tells its answer.</summary>
    public async Task<MutationAnswer> AnswerAsync(Mutation mutation)
    {
        var result = await CommitAsync(mutation);
        Assert.Equal(CommitStatus.Landed, result.Status);
        Assert.True(result.Revision > 0, "A batch that landed has a revision.");
        return Assert.Single(result.Answers);
    }

    /// <summary>Hands in a batch of one mutation that has to be refused, and tells its answer.</summary>
    public async Task<MutationAnswer> RefusalAsync(Mutation mutation)
    {
        var result = await CommitAsync(mutation);
        Assert.Equal(CommitStatus.Refused, result.Status);
        Assert.Equal(0, result.Revision);
        return Assert.Single(result.Answers);
    }

    /// <summary>Adds a task, and tells its id.</summary>
    public async Task<string> AddAsync(
        string thread = "t1",
        string? name = null,
        string? parent = null,
        string? run = null,
        TaskState state = TaskState.Running,
        string type = TaskTypes.Task,
        string description = "") =>
        Assert.IsType<TaskAdded>(await AnswerAsync(Task(thread, name, parent, run, state, type, description))).TaskId;

    /// <summary>Adds an agent task, and tells its id.</summary>
    public async Task<string> AddAgentAsync(string thread, string agentThread, Guid reader) =>
        Assert.IsType<TaskAdded>(await AnswerAsync(
            Task(thread, type: TaskTypes.SubAgent) with { AgentThreadId = agentThread, AgentReader = reader })).TaskId;

    /// <summary>Adds a task of a kind, and tells its id.</summary>
    public async Task<string> AddWorkAsync(
        string kind = "k", string thread = "t1", Func<NewWork, NewWork>? work = null, Func<AddTask, AddTask>? task = null) =>
        Assert.IsType<TaskAdded>(await AnswerAsync(WorkTask(kind, thread, work, task))).TaskId;

    /// <summary>Adds an agent task of a kind, and tells its id.</summary>
    public Task<string> AddWorkAgentAsync(string agentThread, string kind = "k", string thread = "t1", Func<NewWork, NewWork>? work = null) =>
        AddWorkAsync(kind, thread, work, task => task with { Type = TaskTypes.SubAgent, AgentThreadId = agentThread });

    /// <summary>Claims what there is of the kind <c>k</c>, or of others.</summary>
    public Task<WorkClaimed> ClaimAsync(int limit = 100, params KindClaim[] kinds) => ClaimForAsync(Guid.NewGuid(), limit, kinds);

    /// <summary>Claims work, and opens agents' mailboxes for a reader.</summary>
    public async Task<WorkClaimed> ClaimForAsync(Guid agentReader, int limit = 100, params KindClaim[] kinds) =>
        Assert.IsType<WorkClaimed>(await AnswerAsync(new ClaimWork(kinds is [] ? [new KindClaim("k")] : kinds, limit) { AgentReader = agentReader }));

    /// <summary>Claims the one task that there is.</summary>
    public async Task<ClaimedWork> ClaimOneAsync(params KindClaim[] kinds) => Assert.Single((await ClaimAsync(1, kinds)).Tasks);

    /// <summary>Hands a claimed task back, to be tried again at once unless it says otherwise.</summary>
    public async Task<TaskState> HandBackAsync(ClaimedWork work, DateTimeOffset? dueAt = null, string? error = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        return Assert.IsType<WorkHandedBack>(await AnswerAsync(
            new HandBackWork(work.Task.TaskId, work.Claim) { DueAt = dueAt, Error = error })).State;
    }

    /// <summary>Ends a claimed task.</summary>
    public async Task FinishAsync(ClaimedWork work, TaskState state = TaskState.Completed)
    {
        ArgumentNullException.ThrowIfNull(work);
        Assert.IsType<TaskFinished>(await AnswerAsync(Finish(work.Task.TaskId, state) with { Claim = work.Claim }));
    }

    /// <summary>Ends a task.</summary>
    public async Task FinishAsync(string taskId, TaskState state = TaskState.Completed) =>
        Assert.IsType<TaskFinished>(await AnswerAsync(Finish(taskId, state)));

    /// <summary>Opens a mailbox for a new reader.</summary>
    public async Task<Guid> OpenAsync(string thread)
    {
        var reader = Guid.NewGuid();
        Assert.IsType<MailboxOpened>(await AnswerAsync(new OpenMailbox(thread, reader)));
        return reader;
    }

    /// <summary>A task to add.</summary>
    public static AddTask Task(
        string thread = "t1",
        string? name = null,
        string? parent = null,
        string? run = null,
        TaskState state = TaskState.Running,
        string type = TaskTypes.Task,
        string description = "") =>
        new()
        {
            OwnerThreadId = thread,
            Type = type,
            Name = name,
            Description = description,
            State = state,
            Lineage = new TaskLineage { TaskId = parent, RunId = run },
        };

    /// <summary>A task of a kind to add.</summary>
    public static AddTask WorkTask(
        string kind = "k", string thread = "t1", Func<NewWork, NewWork>? work = null, Func<AddTask, AddTask>? task = null)
    {
        var added = new NewWork { Kind = kind, Input = Mailbag.Json("{}") };
        var adding = Task(thread) with { Work = work is null ? added : work(added) };
        return task is null ? adding : task(adding);
    }

    /// <summary>The end of a task.</summary>
    public static FinishTask Finish(string taskId, TaskState state = TaskState.Completed) =>
        new(taskId, state) { Error = state == TaskState.Failed ? "boom" : null };
}
