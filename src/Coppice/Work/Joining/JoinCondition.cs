namespace Coppice;

/// <summary>How many of a task's children have to end for a wait to be over.</summary>
public sealed record JoinCondition
{
    private JoinCondition(int? count, bool areSuccesses) => (Count, AreSuccesses) = (count, areSuccesses);

    /// <summary>Gets the condition that all have ended, however they ended. Met at once by a task without children.</summary>
    public static JoinCondition All { get; } = new(null, false);

    /// <summary>Gets the condition that one has ended, however it ended.</summary>
    public static JoinCondition Any { get; } = new(1, false);

    /// <summary>Gets the condition that one has completed.</summary>
    public static JoinCondition FirstSuccess { get; } = new(1, true);

    /// <summary>Gets how many are needed; <see langword="null"/> for all.</summary>
    public int? Count { get; }

    /// <summary>Gets whether only those count that completed.</summary>
    public bool AreSuccesses { get; }

    /// <summary>The condition that a number of them have ended, however they ended.</summary>
    /// <param name="count">How many, from 1.</param>
    public static JoinCondition AtLeast(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(count, false);
    }

    /// <summary>The condition that a number of them have completed.</summary>
    /// <param name="count">How many, from 1.</param>
    public static JoinCondition Successes(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(count, true);
    }

    internal bool Counts(TaskSnapshot task) => AreSuccesses ? task.State == TaskState.Completed : task.State.IsTerminal();
}
