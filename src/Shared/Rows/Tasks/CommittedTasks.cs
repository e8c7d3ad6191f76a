namespace Coppice.Rows;

/// <summary>Tasks as they were committed lately by the writers of a store: a fixed number of them. Any thread reads and writes them.</summary>
internal sealed class CommittedTasks(TimeProvider? time = null)
{
    private const int Places = 2048;

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly TaskSnapshot?[] _tasks = new TaskSnapshot?[Places];
    private readonly long[] _since = new long[Places];

    /// <summary>The task, if it is here.</summary>
    public TaskSnapshot? Find(string taskId) => TaskIds.TryParse(taskId, out var number) ? Find(number) : null;

    /// <summary>The task, if it came here no longer than some time ago.</summary>
    public TaskSnapshot? Find(string taskId, TimeSpan maxAge)
    {
        if (!TaskIds.TryParse(taskId, out var number) || Find(number) is not { } task)
        {
            return null;
        }

        var age = _time.GetElapsedTime(Volatile.Read(ref _since[PlaceOf(number)]));

        // Still there: so that is since when. No task comes here twice.
        return age <= maxAge && ReferenceEquals(Volatile.Read(ref _tasks[PlaceOf(number)]), task) ? task : null;
    }

    /// <summary>The task of a number, if it is here.</summary>
    public TaskSnapshot? Find(long number) =>
        Volatile.Read(ref _tasks[PlaceOf(number)]) is { } task && TaskIds.TryParse(task.TaskId, out var found) && found == number ? task : null;

    /// <summary>Puts a task in its place, where another may be, or makes that empty.</summary>
    public void Put(long number, TaskSnapshot? task)
    {
        var place = PlaceOf(number);
        Volatile.Write(ref _tasks[place], null);
        if (task is not null)
        {
            Volatile.Write(ref _since[place], _time.GetTimestamp());
            Volatile.Write(ref _tasks[place], task);
        }
    }

    /// <summary>Adds the numbers of all that are here.</summary>
    public void AddNumbersTo(ICollection<long> numbers)
    {
        for (var place = 0; place < Places; place++)
        {
            if (Volatile.Read(ref _tasks[place]) is { } task && TaskIds.TryParse(task.TaskId, out var number))
            {
                numbers.Add(number);
            }
        }
    }

    private static int PlaceOf(long number) => (int)(number % Places);
}
