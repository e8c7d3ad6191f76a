namespace Coppice.Rows;

/// <summary>
/// Keeps the branches, by which trees and runs are walked: a task is on one while it is live and hangs on a parent or a run, or while
/// something on a branch hangs on it.
/// </summary>
internal sealed class Branches(IBranchRows rows)
{
    /// <summary>Takes in a task that was just spawned, if it hangs on anything.</summary>
    public void Spawned(long number, long owner, long? parent, string? name, string? runId)
    {
        // A task may have named this one as its parent before there was one of that id.
        if (parent is null && runId is null && (rows.HasEveryLiveTask || !rows.HasChild(number)))
        {
            return;
        }

        rows.Add(new BranchRow(number, parent, owner, HasEnded: false, name, runId));
        Lift(parent);
    }

    /// <summary>Takes in a restored, ended task when something live already named it as its parent.</summary>
    public void Restored(long number)
    {
        if (rows.HasChild(number))
        {
            Lift(number);
        }
    }

    /// <summary>Lets go of a task that ended, and of the ended ancestors that it alone kept.</summary>
    public void Ended(long number)
    {
        if (rows.Find(number) is not { } row)
        {
            return;
        }

        if (rows.HasChild(number))
        {
            rows.SetEnded(number);
            return;
        }

        rows.Remove(number);
        while (row.Parent is { } parent && rows.Find(parent) is { HasEnded: true } above && !rows.HasChild(parent))
        {
            rows.Remove(parent);
            row = above;
        }
    }

    /// <summary>Takes a task off that is forgotten.</summary>
    public void Remove(long number) => rows.Remove(number);

    public void AddChildren(long number, ICollection<long> numbers) => rows.AddChildren(number, numbers);

    public void AddEndedOf(long owner, ICollection<long> numbers) => rows.AddEndedOf(owner, numbers);

    public void AddRootsOf(string runId, ICollection<long> numbers) => rows.AddRootsOf(runId, numbers);

    /// <summary>Puts a task and its ancestors on the branch, up to the first that is there already; a cycle ends where it began.</summary>
    private void Lift(long? number)
    {
        while (number is { } task && rows.Find(task) is null && rows.OfTask(task) is { } row)
        {
            rows.Add(row);
            number = row.Parent;
        }
    }
}
