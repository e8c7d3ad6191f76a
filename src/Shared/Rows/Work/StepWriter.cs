namespace Coppice.Rows;

/// <summary>Keeps the steps and checkpoints of work that is under way.</summary>
internal sealed class StepWriter(BatchContext context)
{
    public MutationAnswer Write(StoreStep store)
    {
        if (Refuse(store.TaskId, store.Claim, out var work) is { } refusal)
        {
            return refusal;
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        // The row of the work is written with the first step only: each page more that a commit changes is one more in the log.
        if (context.Steps.TryAdd(work.Number, work.HasSteps ? context.Steps.Count(work.Number) : 0, store.Step) && !work.HasSteps)
        {
            context.Work.Set(work with { HasSteps = true });
        }

        return StepStored.Instance;
    }

    public MutationAnswer Write(StoreCheckpoint store)
    {
        if (Refuse(store.TaskId, store.Claim, out var work) is { } refusal)
        {
            return refusal;
        }

        if (!context.Applying)
        {
            return NotApplied.Instance;
        }

        context.Steps.SetCheckpoint(work.Number, store.Value);
        if (work.HasCheckpoint != store.Value is not null)
        {
            context.Work.Set(work with { HasCheckpoint = store.Value is not null });
        }

        return StepStored.Instance;
    }

    private MoveRefused? Refuse(string taskId, long claim, out WorkHead work)
    {
        if (context.RefuseWork(taskId, claim, out var task, out work) is { } refusal)
        {
            return refusal;
        }

        return task.State == TaskState.Pending ? new MoveRefused(task.State) : null;
    }
}
