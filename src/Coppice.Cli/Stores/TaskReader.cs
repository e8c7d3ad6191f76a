using System.Runtime.CompilerServices;

namespace Coppice.Cli.Stores;

/// <summary>Reads a store page by page, so that memory does not follow the number of its tasks.</summary>
internal sealed class TaskReader(ITaskStore store) : IAsyncDisposable
{
    private const int PageSize = 500;

    private static readonly TaskState[] BegunStates = [TaskState.Running, TaskState.InputRequired];
    private static readonly TaskState[] LiveStates = [TaskState.Pending, .. BegunStates];

    public ValueTask<TaskSnapshot?> GetAsync(string taskId, CancellationToken cancellationToken) => store.GetAsync(taskId, cancellationToken);

    /// <summary>All tasks of a query, oldest first.</summary>
    public async IAsyncEnumerable<TaskSnapshot> QueryAsync(TaskQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        TaskCursor? after = null;
        while (true)
        {
            var page = await store.ListAsync(query, after, PageSize, cancellationToken);
            foreach (var task in page)
            {
                yield return task;
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            after = TaskCursor.After(page[^1]);
        }
    }

    public IAsyncEnumerable<TaskSnapshot> LiveAsync(CancellationToken cancellationToken) =>
        QueryAsync(new TaskQuery { States = LiveStates }, cancellationToken);

    public IAsyncEnumerable<TaskSnapshot> ChildrenAsync(string taskId, CancellationToken cancellationToken) =>
        QueryAsync(new TaskQuery { ParentTaskId = taskId }, cancellationToken);

    /// <summary>Whether a host has begun a task that has not ended: where no host lives, one that was left behind.</summary>
    public async Task<bool> AnyBegunAsync(CancellationToken cancellationToken) =>
        (await store.ListAsync(new TaskQuery { States = BegunStates }, null, 1, cancellationToken)).Count > 0;

    public Task<int> CountBegunAsync(CancellationToken cancellationToken) => CountAsync(BegunStates, cancellationToken);

    public Task<int> CountPendingAsync(CancellationToken cancellationToken) => CountAsync([TaskState.Pending], cancellationToken);

    /// <summary>The tasks from the one given up to the root, itself first. A lineage that runs in a circle ends where it closes.</summary>
    public async Task<IReadOnlyList<TaskSnapshot>> LineageAsync(TaskSnapshot task, CancellationToken cancellationToken)
    {
        var lineage = new List<TaskSnapshot> { task };
        var seen = new HashSet<string>(StringComparer.Ordinal) { task.TaskId };
        while (lineage[^1].Lineage.TaskId is { Length: > 0 } parentId
            && seen.Add(parentId)
            && await store.GetAsync(parentId, cancellationToken) is { } parent)
        {
            lineage.Add(parent);
        }

        return lineage;
    }

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private async Task<int> CountAsync(TaskState[] states, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var _ in QueryAsync(new TaskQuery { States = states }, cancellationToken))
        {
            count++;
        }

        return count;
    }
}
