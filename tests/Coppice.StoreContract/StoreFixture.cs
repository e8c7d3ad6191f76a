namespace Coppice.StoreContract;

/// <summary>
/// How a store joins the contract: one class that makes stores, and one derived class for each contract class, such as
/// <c>public sealed class MyLaw04Names : Law04NamesContract&lt;MyStoreFixture&gt;;</c>. A fixture serves one test.
/// </summary>
/// <remarks>Where the store's server is missing, its methods may skip the test with <c>Assert.Skip</c>.</remarks>
public abstract class StoreFixture : IAsyncDisposable
{
    /// <summary>Gets whether what was acknowledged survives the end of the process.</summary>
    public abstract bool IsDurable { get; }

    /// <summary>Gets whether numbers may be missing among the ids.</summary>
    public virtual bool IdsMayHaveGaps => false;

    /// <summary>
    /// Gets whether hosts judge each other by their heartbeats, so that one that stands still is given up while the store is in use.
    /// </summary>
    public virtual bool HostsWatchEachOther => true;

    /// <summary>
    /// Gets whether only one process at a time can open the store, so that whoever opens it knows that every host of an earlier process
    /// is gone.
    /// </summary>
    public virtual bool HasOneProcessAtATime => false;

    /// <summary>Makes a store with nothing in it. It stays the fixture's to dispose.</summary>
    public abstract ValueTask<ITaskStore> CreateAsync();

    /// <summary>
    /// Ends the process, as far as the store can tell, and opens the same data again: a durable store is disposed and opened anew; the
    /// store in memory goes on.
    /// </summary>
    /// <param name="store">The store that <see cref="CreateAsync"/> or this method returned.</param>
    public abstract ValueTask<ITaskStore> ReopenAsync(ITaskStore store);

    /// <summary>Disposes the stores and removes their data.</summary>
    public abstract ValueTask DisposeAsync();
}
