using System.Text.Json;

namespace Coppice.Crash.Tests;

/// <summary>What a killed process has left in its store. A copy is read, so that the next process finds what the killed one left.</summary>
/// <param name="Tasks">The tasks, by their ids.</param>
/// <param name="Steps">The stored steps of live tasks.</param>
/// <param name="Checkpoints">The checkpoints of live tasks that have one.</param>
/// <param name="Acknowledged">How far the mail of agents is acknowledged, by the agents' tasks.</param>
internal sealed record StoreDump(
    IReadOnlyDictionary<string, TaskSnapshot> Tasks,
    ILookup<string, TaskStep> Steps,
    IReadOnlyDictionary<string, JsonElement> Checkpoints,
    IReadOnlyDictionary<string, long> Acknowledged)
{
    private const int Page = 1_000;

    internal static async Task<StoreDump> TakeAsync(StoreFolder folder, CancellationToken stop)
    {
        using var copy = new StoreFolder();
        File.Copy(folder.DatabasePath, copy.DatabasePath);
        if (File.Exists(folder.DatabasePath + "-wal"))
        {
            File.Copy(folder.DatabasePath + "-wal", copy.DatabasePath + "-wal");
        }

        await using var store = await SqliteTaskStore.OpenAsync(copy.DatabasePath, cancellationToken: stop);
        var tasks = await ListAsync(store, stop);
        var steps = new List<(string TaskId, TaskStep Step)>();
        foreach (var task in tasks.Where(static task => !task.State.IsTerminal()))
        {
            steps.AddRange((await store.ReadStepsAsync(task.TaskId, 0, Page, stop)).Select(step => (task.TaskId, step)));
        }

        return new StoreDump(
            tasks.ToDictionary(static task => task.TaskId),
            steps.ToLookup(static step => step.TaskId, static step => step.Step),
            await ReadCheckpointsAsync(store, tasks, stop),
            await ReadAcknowledgedAsync(store, tasks, stop));
    }

    private static async Task<List<TaskSnapshot>> ListAsync(SqliteTaskStore store, CancellationToken stop)
    {
        var tasks = new List<TaskSnapshot>();
        while (true)
        {
            var page = await store.ListAsync(new TaskQuery(), tasks.Count == 0 ? null : TaskCursor.After(tasks[^1]), Page, stop);
            tasks.AddRange(page);
            if (page.Count < Page)
            {
                return tasks;
            }
        }
    }

    /// <summary>A checkpoint is told to whoever claims its task, so the tasks of the copy are claimed.</summary>
    private static async Task<Dictionary<string, JsonElement>> ReadCheckpointsAsync(
        SqliteTaskStore store, List<TaskSnapshot> tasks, CancellationToken stop)
    {
        var kinds = tasks.Select(static task => task.Work!.Kind).Distinct().Select(static kind => new KindClaim(kind)).ToList();
        var host = ((HostJoined)await CommitAsync(store, HostFence.None, new JoinHost("dump"), stop)).Fence;
        var claimed = (WorkClaimed)await CommitAsync(store, host, new ClaimWork(kinds, tasks.Count) { AgentReader = Guid.NewGuid() }, stop);
        return claimed.Tasks.Where(static work => work.Checkpoint is not null).ToDictionary(static work => work.Task.TaskId, static work => work.Checkpoint!.Value);
    }

    private static async Task<Dictionary<string, long>> ReadAcknowledgedAsync(SqliteTaskStore store, List<TaskSnapshot> tasks, CancellationToken stop)
    {
        var acknowledged = new Dictionary<string, long>();
        var host = ((HostJoined)await CommitAsync(store, HostFence.None, new JoinHost("mail"), stop)).Fence;
        foreach (var agent in tasks.Where(static task => task.AgentThreadId is not null))
        {
            var opened = (MailboxOpened)await CommitAsync(store, host, new OpenMailbox(agent.AgentThreadId!, Guid.NewGuid()), stop);
            acknowledged.Add(agent.TaskId, opened.AcknowledgedThrough);
        }

        return acknowledged;
    }

    private static async Task<MutationAnswer> CommitAsync(SqliteTaskStore store, HostFence host, Mutation mutation, CancellationToken stop)
    {
        var id = new BatchId(host.Epoch, Random.Shared.NextInt64());
        return (await store.CommitAsync(new MutationBatch(id, host, TimeProvider.System.GetUtcNow(), [mutation]), stop)).Answers[0];
    }
}
