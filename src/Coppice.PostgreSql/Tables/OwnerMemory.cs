namespace Coppice.PostgreSql;

/// <summary>What never changes of the tasks that were used lately: whose they are and what they hang on. A fixed number of them.</summary>
/// <remarks>A task that is forgotten and its id that comes back in a snapshot may have another owner: what was pruned is let go of by <see cref="Clear"/>.</remarks>
internal sealed class OwnerMemory
{
    private const int Places = 4096;

    private readonly Entry?[] _places = new Entry?[Places];

    public long? Find(long number) => FindEntry(number)?.Owner;

    public Entry? FindEntry(long number) => Volatile.Read(ref Place(number)) is { } entry && entry.Number == number ? entry : null;

    public void Add(long number, long owner) => Volatile.Write(ref Place(number), new Entry(number, owner, Parent: null, AgentThread: null));

    public void Add(in TaskHead task) => Volatile.Write(ref Place(task.Number), new Entry(task.Number, task.Owner, task.Parent, task.AgentThread));

    public void Clear() => Array.Clear(_places);

    private ref Entry? Place(long number) => ref _places[(int)(number % Places)];

    /// <summary>A task.</summary>
    /// <param name="Number">Its number.</param>
    /// <param name="Owner">Its thread.</param>
    /// <param name="Parent">Its parent, where that is known.</param>
    /// <param name="AgentThread">The thread of its agent, where that is known.</param>
    internal sealed record Entry(long Number, long Owner, long? Parent, long? AgentThread);
}
