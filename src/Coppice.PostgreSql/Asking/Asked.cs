namespace Coppice.PostgreSql;

/// <summary>
/// What the rules will ask for when they write some batches, as far as the batches say so. A wrong guess costs a round trip, or a lock that was not needed.
/// </summary>
internal sealed class Asked
{
    /// <summary>Gets the epochs of the batches' hosts, in their order.</summary>
    public SortedSet<long> Epochs { get; } = [];

    /// <summary>Gets the threads.</summary>
    public HashSet<string> Threads { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the threads that may be new, and are to be there from now on.</summary>
    public HashSet<string> NewThreads { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the threads to which mail comes.</summary>
    public HashSet<string> Mailboxes { get; } = new(StringComparer.Ordinal);

    /// <summary>Gets the tasks that the rules decide about.</summary>
    public HashSet<long> Tasks { get; } = [];

    /// <summary>Gets those of the tasks to whose owners mail comes.</summary>
    public HashSet<long> Telling { get; } = [];

    /// <summary>Gets those of the tasks that are work.</summary>
    public HashSet<long> Work { get; } = [];

    /// <summary>Gets those of the tasks that are cancelled with all that hangs on them.</summary>
    public HashSet<long> Trees { get; } = [];

    /// <summary>Gets up to where mail is acknowledged.</summary>
    public List<(string Thread, long Through)> Acknowledged { get; } = [];

    /// <summary>Gets the tasks that get a child.</summary>
    public HashSet<long> Parents { get; } = [];

    /// <summary>Gets the names that are to be given.</summary>
    public HashSet<(string Thread, string Name)> Names { get; } = [];

    /// <summary>Gets the idempotency keys.</summary>
    public HashSet<(string Thread, string Key)> Keys { get; } = [];

    /// <summary>Gets the kinds of the work that is added, and whose it will be.</summary>
    public HashSet<(string Thread, string Kind)> Kinds { get; } = [];

    /// <summary>Gets whether a host joins.</summary>
    public bool Joins { get; private set; }

    /// <summary>Gets whether work is claimed.</summary>
    public bool Claims { get; private set; }

    /// <summary>Gets whether all of it can be decided by what is known of the threads and tasks here, if enough is.</summary>
    public bool IsOrdinary { get; private set; } = true;

    /// <summary>Gets how many tasks are added.</summary>
    public int NewTasks { get; private set; }

    /// <summary>Gets how many turns are taken.</summary>
    public int Turns { get; private set; }

    public static Asked Of(IReadOnlyCollection<MutationBatch> batches)
    {
        var asked = new Asked();
        foreach (var batch in batches)
        {
            asked.Add(batch);
        }

        return asked;
    }

    /// <summary>Begins anew, with one batch.</summary>
    public void Set(MutationBatch batch)
    {
        Epochs.Clear();
        Threads.Clear();
        NewThreads.Clear();
        Mailboxes.Clear();
        Tasks.Clear();
        Telling.Clear();
        Work.Clear();
        Trees.Clear();
        Acknowledged.Clear();
        Parents.Clear();
        Names.Clear();
        Keys.Clear();
        Kinds.Clear();
        (Joins, Claims, IsOrdinary) = (false, false, true);
        (NewTasks, Turns) = (0, 0);
        Add(batch);
    }

    private void Add(MutationBatch batch)
    {
        if (batch.Host.Epoch > 0)
        {
            Epochs.Add(batch.Host.Epoch);
        }

        foreach (var mutation in batch.Mutations)
        {
            Add(mutation);
        }
    }

    /// <summary>Whether a mutation is decided by what a writer keeps of threads: of no work, and of no more tasks and mail than it names.</summary>
    private static bool IsDecidedByFacts(Mutation mutation) => mutation is
        AddTask { Work: null, Continues: null }
        or FinishTask { Claim: 0 } or PostEvents { Claim: 0 } or MoveTask { Claim: 0 } or CloseAgentInbox { Claim: 0 }
        or RequestCancel { Scope: CancelScope.Task or CancelScope.Tree }
        or SendMessage or PostInput or AcknowledgeMail or AppendConversation;

    private void Add(Mutation mutation)
    {
        IsOrdinary &= IsDecidedByFacts(mutation);
        switch (mutation)
        {
            case AddTask add:
                Add(add);
                break;
            case JoinHost:
                Joins = true;
                break;
            case FinishTask finish:
                AddTask(finish.TaskId, finish.Claim, tells: true);
                break;
            case HandBackWork handBack:
                AddTask(handBack.TaskId, handBack.Claim, handBack.Events.Count > 0 || handBack.CancelledBy is not null);
                Turns += 2;
                break;
            case PostEvents events:
                AddTask(events.TaskId, events.Claim, tells: true);
                break;
            case MoveTask move:
                AddTask(move.TaskId, move.Claim, tells: false);
                break;
            case CloseAgentInbox close:
                AddTask(close.TaskId, close.Claim, tells: false);
                break;
            case StoreStep step:
                AddTask(step.TaskId, step.Claim, tells: false);
                break;
            case StoreCheckpoint checkpoint:
                AddTask(checkpoint.TaskId, checkpoint.Claim, tells: false);
                break;
            case SendMessage send:
                AddTask(send.TaskId, claim: 0, tells: false);
                Threads.Add(send.From.ThreadId);
                break;
            case RequestCancel { Scope: CancelScope.Task or CancelScope.Tree } cancel:
                AddTask(cancel.Key, claim: 0, tells: false);
                if (cancel.Scope == CancelScope.Tree && TaskIds.TryParse(cancel.Key, out var root))
                {
                    Trees.Add(root);
                }

                break;
            case RequestCancel { Scope: CancelScope.Thread } cancel:
                Threads.Add(cancel.Key);
                break;
            case PostInput input:
                AddMailbox(input.ThreadId);
                break;
            case PostMessage message:
                AddMailbox(message.ThreadId);
                break;
            case AcknowledgeMail acknowledge:
                AddAcknowledged(acknowledge.ThreadId, acknowledge.ThroughSequence);
                break;
            case AppendConversation append:
                AddAcknowledged(append.ThreadId, append.AcknowledgeThrough);
                break;
            case OpenMailbox { ThreadId: var thread }:
                Threads.Add(thread);
                break;
            case CloseMailbox { ThreadId: var thread }:
                AddMailbox(thread);
                break;
            case ForgetConversation { ThreadId: var thread }:
                Threads.Add(thread);
                break;
            case ClaimWork:
                Claims = true;
                break;
            default:
                break;
        }
    }

    private void Add(AddTask task)
    {
        NewTasks++;
        Threads.Add(task.OwnerThreadId);
        NewThreads.Add(task.OwnerThreadId);
        if (task.AgentThreadId is { } agent)
        {
            Threads.Add(agent);
            NewThreads.Add(agent);
        }

        if (task.Name is not null)
        {
            Names.Add((task.OwnerThreadId, task.Name));
        }

        if (TaskIds.TryParse(task.Lineage.TaskId, out var parent))
        {
            Parents.Add(parent);
        }

        AddTask(task.Continues, claim: 0, tells: false);
        if (task.Work is { } work)
        {
            Turns += 2;
            Kinds.Add((task.OwnerThreadId, work.Kind));
            if (work.IdempotencyKey is { } key)
            {
                Keys.Add((task.OwnerThreadId, key));
            }
        }
    }

    private void AddAcknowledged(string thread, long through)
    {
        Threads.Add(thread);
        if (through > 0)
        {
            Acknowledged.Add((thread, through));
        }
    }

    private void AddMailbox(string thread)
    {
        Threads.Add(thread);
        Mailboxes.Add(thread);
    }

    private void AddTask(string? id, long claim, bool tells)
    {
        if (!TaskIds.TryParse(id, out var number))
        {
            return;
        }

        Tasks.Add(number);
        if (tells)
        {
            Telling.Add(number);
        }

        if (claim != 0)
        {
            Work.Add(number);
        }
    }
}
