namespace Coppice.PostgreSql;

/// <summary>The owners of the tasks that were used lately; a fixed number of them.</summary>
/// <remarks>A task that is forgotten and its id that comes back in a snapshot may have another owner: what was pruned is let go of by <see cref="Clear"/>.</remarks>
internal sealed class OwnerMemory
{
    private const int Places = 4096;

    private readonly Entry?[] _places = new Entry?[Places];

    public long? Find(long number) => Volatile.Read(ref Place(number)) is { } entry && entry.Number == number ? entry.Owner : null;

    public void Add(long number, long owner) => Volatile.Write(ref Place(number), new Entry(number, owner));

    public void Clear() => Array.Clear(_places);

    private ref Entry? Place(long number) => ref _places[(int)(number % Places)];

    private sealed record Entry(long Number, long Owner);
}
