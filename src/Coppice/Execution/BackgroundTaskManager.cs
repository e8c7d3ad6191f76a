using System.Text.Json.Serialization.Metadata;

namespace Coppice;

/// <summary>x</summary>
public sealed class BackgroundTaskManager : IAsyncDisposable
{
    /// <summary>x</summary>
    public static ValueTask<BackgroundTaskManager> StartAsync(ITaskStore store, BackgroundTaskOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<string> SpawnAsync(string ownerThreadId, Func<TaskContext, Task<TaskOutcome>> body, SpawnOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    [System.Diagnostics.CodeAnalysis.RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [System.Diagnostics.CodeAnalysis.RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public ValueTask<string> SpawnAsync<T>(string ownerThreadId, Func<TaskContext, Task<T>> body, SpawnOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<string> SpawnAsync<T>(string ownerThreadId, Func<TaskContext, Task<T>> body, JsonTypeInfo<T> jsonTypeInfo, SpawnOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<string> SpawnAsync(string ownerThreadId, Func<TaskContext, Task> body, SpawnOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<string> SpawnAgentAsync(string ownerThreadId, Func<AgentTaskContext, Task<TaskOutcome>> body, SpawnOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<bool> CancelAsync(string taskId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<int> CancelTreeAsync(string taskId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<int> CancelThreadAsync(string ownerThreadId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<int> CancelRunAsync(string runId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<IReadOnlyList<TaskSnapshot>> ListAsync(string ownerThreadId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public IAsyncEnumerable<TaskSnapshot> QueryAsync(TaskQuery query, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<bool> HasRunningAsync(string ownerThreadId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public Task<TaskSnapshot> WaitAsync(string taskId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public IAsyncEnumerable<TaskChange> WatchAsync(TaskQuery? query = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<SendReceipt> SendAsync(string taskId, MessageSender from, string content, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<string?> FindLiveChildAsync(TaskLineage parent, string nameOrTaskId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<Inbox> OpenInboxAsync(string ownerThreadId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadLettersAsync(string threadId, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<RestoreResult> RestoreAsync(string ownerThreadId, IEnumerable<TaskSnapshot> snapshot, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public IAsyncEnumerable<TaskSnapshot> ExportAsync(string? ownerThreadId = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask<int> PruneAsync(TimeSpan olderThan, CancellationToken cancellationToken = default) => throw new NotImplementedException();
    /// <summary>x</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
