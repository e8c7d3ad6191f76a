using System.Runtime.InteropServices;

namespace Coppice.Rows;

/// <summary>
/// Tasks that were written lately, so that who has just spawned one, or has been told that it ended, need not read it. None has long texts. One
/// writer's: it knows what its transaction has changed, over what all have committed.
/// </summary>
/// <remarks>
/// A task that a transaction changes is withdrawn before the commit and comes back after it: in between the store's tables know better, and a
/// reader must not see here what it has already seen changed there.
/// </remarks>
internal sealed class RecentTasks(CommittedTasks committed)
{
    /// <summary>How long the texts of a task that is kept may be, together.</summary>
    public const int MaxText = 1024;

    /// <summary>How long the result of a task that is kept may be.</summary>
    public const int MaxResult = 1024;

    // What the transaction has changed; null where that is not known.
    private readonly Dictionary<long, TaskSnapshot?> _staged = [];

    /// <summary>The task as committed, if it is here.</summary>
    public TaskSnapshot? FindCommitted(string taskId) => committed.Find(taskId);

    /// <summary>The task as the writer's transaction has it, if it is here. Other processes may have changed it, where there are any.</summary>
    public TaskSnapshot? Find(long number) => _staged.TryGetValue(number, out var staged) ? staged : committed.Find(number);

    /// <summary>Takes in what the transaction makes of a task; <see langword="null"/> where that is not known.</summary>
    public void Stage(long number, TaskSnapshot? task)
    {
        // The ids of others are not found by their numbers.
        if (number <= TaskIds.MaxCounted)
        {
            _staged[number] = task is not null && LengthOf(task) <= MaxText ? task : null;
        }
    }

    /// <summary>The transaction is about to be committed.</summary>
    public void Withdraw()
    {
        foreach (var number in _staged.Keys)
        {
            committed.Put(number, null);
        }
    }

    /// <summary>The transaction is committed.</summary>
    public void Publish()
    {
        foreach (var (number, task) in _staged)
        {
            committed.Put(number, task);
        }

        _staged.Clear();
    }

    /// <summary>The transaction was taken back, all of it.</summary>
    public void TakeBack() => _staged.Clear();

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
        var numbers = new List<long>();
        committed.AddNumbersTo(numbers);
        foreach (var number in numbers)
        {
            _staged[number] = null;
        }
    }

    private static int LengthOf(TaskSnapshot task) =>
        task.Description.Length + (task.Error?.Length ?? 0) + task.OwnerThreadId.Length + (task.Name?.Length ?? 0)
        + (task.Work is { } work ? LengthOf(work) : 0);

    private static int LengthOf(TaskWork work) =>
        work.Kind.Length + (work.IdempotencyKey?.Length ?? 0) + (work.LastError?.Length ?? 0) + JsonMarshal.GetRawUtf8Value(work.Input).Length;
}
