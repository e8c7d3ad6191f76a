using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

/// <summary>A manager on a store of a test's own, and the tools of its threads.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly ITaskStore _inner;
    private readonly DirectoryInfo? _folder;

    private Bench(TestManager test, ITaskStore inner, StoreInFront front, DirectoryInfo? folder)
    {
        Test = test;
        Front = front;
        _inner = inner;
        _folder = folder;
    }

    internal TestManager Test { get; }

    internal StoreInFront Front { get; }

    internal BackgroundTaskManager Manager => Test.Manager;

    internal static CancellationToken Stop => TestContext.Current.CancellationToken;

    [SuppressMessage("Reliability", "CA2000", Justification = "The bench disposes of it.")]
    internal static async Task<Bench> StartAsync(StoreKind kind = StoreKind.Memory, Action<BackgroundTaskOptions>? configure = null)
    {
        var folder = kind == StoreKind.Sqlite ? Directory.CreateTempSubdirectory("coppice-agents-") : null;
        ITaskStore inner = folder is null
            ? new InMemoryTaskStore()
            : await SqliteTaskStore.OpenAsync(Path.Combine(folder.FullName, "tasks.db"), cancellationToken: Stop);
        var (store, front) = StoreInFront.Of(inner);
        return new Bench(await TestManager.StartAsync(configure, store, Stop), inner, front, folder);
    }

    internal AIFunction Tool(
        string name, string thread = "t1", BackgroundTaskToolOptions? options = null) =>
        BackgroundTaskTools.For(Manager, thread, options).Single(tool => tool.Name == name);

    /// <summary>Calls a tool as pipelines do: with JSON.</summary>
    internal Task<JsonElement> CallAsync(
        string tool, [StringSyntax("json")] string arguments, string thread = "t1", BackgroundTaskToolOptions? options = null) =>
        Tool(tool, thread, options).CallAsync(arguments);

    /// <summary>Spawns a task that runs until it is cancelled or the manager ends.</summary>
    internal async Task<string> SpawnLiveAsync(string thread = "t1", string? name = null, TaskLineage? lineage = null) =>
        await Manager.SpawnAsync(
            thread,
            async task =>
            {
                await task.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            },
            new SpawnOptions { Name = name, Lineage = lineage ?? TaskLineage.None },
            Stop);

    internal async Task<TaskSnapshot> SpawnEndedAsync(TaskOutcome outcome, string thread = "t1", SpawnOptions? options = null)
    {
        var id = await Manager.SpawnAsync(thread, _ => Task.FromResult(outcome), options, Stop);
        return await Manager.WaitAsync(id, Stop);
    }

    internal Task<TaskSnapshot> SpawnEndedAsync(string resultJson, string thread = "t1") =>
        SpawnEndedAsync(TaskOutcome.Success(JsonElement.Parse(resultJson)), thread);

    public async ValueTask DisposeAsync()
    {
        await Test.DisposeAsync();
        await _inner.DisposeAsync();
        _folder?.Delete(recursive: true);
    }
}
