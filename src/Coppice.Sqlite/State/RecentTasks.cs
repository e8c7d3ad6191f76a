using System.Runtime.InteropServices;

namespace Coppice.Sqlite;

/// <summary>
/// Tasks that were written lately, so that who has just spawned one, or has been told that it ended, need not read the file for it. A
/// fixed number of them, none with long texts. Changed by the writer alone, read by everybody.
/// </summary>
/// <remarks>
/// A task that a transaction changes is withdrawn before the commit and comes back after it: in between the file knows better, and a
/// reader must not see here what it has already seen changed there.
/// </remarks>
internal sealed class RecentTasks
{
    /// <summary>How long the texts of a task that is kept may be, together.</summary>
    public const int MaxText = 1024;

    private const int Places = 2048;

    private readonly TaskSnapshot?[] _committed = new TaskSnapshot?[Places];

    // What the transaction has changed; null where that is not known.
    private readonly Dictionary<long, TaskSnapshot?> _staged = [];

    /// <summary>The task as committed, if it is here.</summary>
    public TaskSnapshot? FindCommitted(string taskId) =>
        TaskIds.TryParse(taskId, out var number) && Volatile.Read(ref Place(number)) is { } task && task.TaskId == taskId ? task : null;

    /// <summary>The task as the writer's transaction has it, if it is here.</summary>
    public TaskSnapshot? Find(long number)
    {
        if (_staged.TryGetValue(number, out var staged))
        {
            return staged;
        }

        return Place(number) is { } task && TaskIds.TryParse(task.TaskId, out var found) && found == number ? task : null;
    }

    /// <summary>Takes in what the transaction makes of a task; <see langword="null"/> where that is not known.</summary>
    public void Stage(long number, TaskSnapshot? task)
    {
        if (number < Schema.FirstForeign)
        {
            _staged[number] = task is not null && LengthOf(task) <= MaxText ? task : null;
        }
    }

    /// <summary>The transaction is about to be committed.</summary>
    public void Withdraw()
    {
        foreach (var number in _staged.Keys)
        {
            Volatile.Write(ref Place(number), null);
        }
    }

    /// <summary>The transaction is committed.</summary>
    public void Publish()
    {
        foreach (var (number, task) in _staged)
        {
            Volatile.Write(ref Place(number), task);
        }

        _staged.Clear();
    }

    /// <summary>Something of the transaction was taken back, so that nothing is known of what it changed.</summary>
    public void Distrust()
    {
        foreach (var number in _staged.Keys.ToArray())
        {
            _staged[number] = null;
        }
    }

    /// <summary>Lets go of all, because tasks are removed that nobody names.</summary>
    public void Clear()
    {
        Distrust();
        foreach (var task in _committed)
        {
            if (task is not null && TaskIds.TryParse(task.TaskId, out var number))
            {
                _staged[number] = null;
            }
        }
    }

    private ref TaskSnapshot? Place(long number) => ref _committed[number % Places];

    private static int LengthOf(TaskSnapshot task) =>
        task.Description.Length + (task.Error?.Length ?? 0) + task.OwnerThreadId.Length + (task.Name?.Length ?? 0)
        + (task.Work is { } work ? LengthOf(work) : 0);

    private static int LengthOf(TaskWork work) =>
        work.Kind.Length + (work.IdempotencyKey?.Length ?? 0) + (work.LastError?.Length ?? 0) + JsonMarshal.GetRawUtf8Value(work.Input).Length;
}
