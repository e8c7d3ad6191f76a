using System.Diagnostics.CodeAnalysis;
using BenchmarkDotNet.Attributes;

namespace Coppice.Benchmarks;

/// <summary>On the store in memory.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The cleanup disposes of the store.")]
[Config(typeof(ShortRuns))]
[InvocationCount(InvocationCount)]
public class InMemoryOperations() : Operations(InvocationCount)
{
    private const int InvocationCount = 4096;

    private InMemoryTaskStore? _store;

    protected override Task<ITaskStore> OpenStoreAsync() => Task.FromResult<ITaskStore>(_store = new InMemoryTaskStore());

    protected override async Task CloseStoreAsync() => await _store!.DisposeAsync();
}
