namespace Coppice.Testing;

/// <summary>Where the hosts of a simulation keep their tasks: makes an empty store for each history.</summary>
/// <remarks>Its calls may take as long as they like and use whatever threads they like; the simulation stands still meanwhile.</remarks>
public abstract class SimulationStore
{
    /// <summary>Gets stores in memory.</summary>
    public static SimulationStore InMemory { get; } = new MemoryStore();

    /// <summary>Gets whether a store may leave gaps between the ids that it gives. Not by default (law 5).</summary>
    public virtual bool LeavesGapsBetweenIds => false;

    /// <summary>Makes an empty store.</summary>
    public abstract ValueTask<ITaskStore> CreateAsync();

    /// <summary>
    /// Goes on with a store after every host on it is gone and before the next one starts. A store in a file is closed and opened anew
    /// here; by default the store just stays.
    /// </summary>
    /// <param name="store">What <see cref="CreateAsync"/> or this made last.</param>
    public virtual ValueTask<ITaskStore> ReopenAsync(ITaskStore store) => ValueTask.FromResult(store);

    /// <summary>Does away with a store when its history is over. By default it is disposed.</summary>
    /// <param name="store">What <see cref="CreateAsync"/> or <see cref="ReopenAsync"/> made last.</param>
    /// <exception cref="ArgumentNullException"><paramref name="store"/> is <see langword="null"/>.</exception>
    public virtual ValueTask DeleteAsync(ITaskStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return store.DisposeAsync();
    }

    private sealed class MemoryStore : SimulationStore
    {
        public override ValueTask<ITaskStore> CreateAsync() => ValueTask.FromResult<ITaskStore>(new InMemoryTaskStore());
    }
}
