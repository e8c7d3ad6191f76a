using BenchmarkDotNet.Attributes;

namespace Coppice.Benchmarks;

/// <summary>On the store in a SQLite file, each change synced to the disk.</summary>
[Config(typeof(ShortRuns))]
[InvocationCount(InvocationCount)]
public class SqliteOperations() : Operations(InvocationCount)
{
    private const int InvocationCount = 128;

    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "bench-data", Guid.NewGuid().ToString("N"));
    private SqliteTaskStore? _store;

    protected override async Task<ITaskStore> OpenStoreAsync() => _store = await SqliteTaskStore.OpenAsync(Path.Combine(_folder, "tasks.db"));

    protected override async Task CloseStoreAsync()
    {
        await _store!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
