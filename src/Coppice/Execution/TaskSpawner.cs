using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>Stores new tasks, until the manager shuts down.</summary>
internal sealed class TaskSpawner(
    TaskRunner runner, TaskIntake intake, WorkClaimer claimer, HostSession host, PatientStore store, LiveTasks live, TaskMetrics metrics,
    WorkScheduler scheduler, ILogger logger)
{
    private readonly ClosingGate _gate = new(scheduler);

    /// <summary>
    /// Makes the task of a body, before what the store is told of it: what lasts and what is gone in a moment lie apart in memory then, which
    /// the collector is quicker with.
    /// </summary>
    internal LiveTask Prepare(TaskBody body, bool isBlocking) => new(runner, body, isBlocking);

    /// <summary>Stores a task whose body was given with the spawn, and starts it.</summary>
    internal async ValueTask<string> SpawnAsync(LiveTask task, AddTask add, CancellationToken cancellationToken)
    {
        Enter();
        try
        {
            ThrowIfParentIsCancelled(add);
            task.Describe(add);
            if (await LandAsync(task, add, cancellationToken).ConfigureAwait(false))
            {
                await intake.CatchUpAsync(task).ConfigureAwait(false);
            }

            task.Start();
            return task.TaskId;
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>Stores a task of a registered kind, which runs once a host has claimed it.</summary>
    internal async ValueTask<TaskAdded> SpawnWorkAsync(AddTask add, CancellationToken cancellationToken)
    {
        Enter();
        var landing = new WorkLanding(store, metrics, scheduler, logger, add);
        try
        {
            ThrowIfParentIsCancelled(add);
            var spawn = host.CommitAsync("spawn", add, landing, cancellationToken);
            if (!spawn.IsCompleted && add.Work is { DueAt: null } work)
            {
                claimer.Expect(work.Kind);
            }

            return AddedBy(await spawn.ConfigureAwait(false), add);
        }
        catch (TaskStoreException)
        {
            // Where it landed while its failure was on the way, what was stored runs.
            if (landing.GiveUp() is { } landed)
            {
                return landed;
            }

            throw;
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>Takes no more, and completes when nothing is on its way.</summary>
    internal Task StopAsync() => _gate.CloseAsync();

    private void Enter()
    {
        if (!_gate.TryEnter())
        {
            throw new SpawnException(SpawnError.ShuttingDown, "The manager is shutting down and takes no new tasks.");
        }
    }

    /// <summary>A cancel that the store could not be told counts here all the same.</summary>
    private void ThrowIfParentIsCancelled(AddTask add)
    {
        if (add.Lineage.TaskId is { } parentId && live.TryGet(parentId, out var parent) && parent.UnstoredCancel is not null)
        {
            throw Refusal(SpawnError.ParentCancelled, add);
        }
    }

    /// <summary>Stores a new task. Tells whether its answer came late, after news of the task may have.</summary>
    private async ValueTask<bool> LandAsync(LiveTask task, AddTask add, CancellationToken cancellationToken)
    {
        try
        {
            var result = await host.CommitAsync("spawn", add, task, cancellationToken).ConfigureAwait(false);
            _ = AddedBy(result, add);
            return result.WasFound;
        }
        catch (Exception) when (!task.TryAbandon())
        {
            // It landed while its failure was on the way: what was stored runs.
            return true;
        }
    }

    private static TaskAdded AddedBy(CommitResult result, AddTask add) =>
        result.Answer is AddRefused refused ? throw Refusal(refused.Error, add) : (TaskAdded)result.Answer!;

    private static SpawnException Refusal(SpawnError error, AddTask add) => new(error, error switch
    {
        SpawnError.DuplicateName =>
            $"A live task of thread '{add.OwnerThreadId}' is named '{add.Name}' already. Choose another name, or wait until it ends.",
        SpawnError.ParentCancelled =>
            $"The cancellation of the parent task '{add.Lineage.TaskId}' was requested, so it gets no new children.",
        SpawnError.TooDeep =>
            $"The tree of tasks would be deeper than MaxDepth, which is {add.MaxDepth}. Spawn from a task higher up.",
        SpawnError.ContinuesUnknown =>
            $"Thread '{add.OwnerThreadId}' has no agent task '{add.Continues}' to continue. Name one of its ended agents, or spawn a new one.",
        SpawnError.IdempotencyKeyReused =>
            $"A task of thread '{add.OwnerThreadId}' that is of another kind than '{add.Work?.Kind}' has the idempotency key "
            + $"'{add.Work?.IdempotencyKey}'. Use a key once for one piece of work.",
        SpawnError.AgentBusy =>
            $"The thread of agent task '{add.Continues}' has a live agent. Send that one a message, or wait until it ends.",
        _ => "The task was refused.",
    });
}
