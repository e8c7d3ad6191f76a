namespace Coppice.Testing.Tests;

/// <summary>A broken store for each history.</summary>
internal sealed class BrokenSimulationStore(Func<StoreInFront> create) : SimulationStore
{
    public override ValueTask<ITaskStore> CreateAsync() => ValueTask.FromResult<ITaskStore>(create());
}
