using System.Diagnostics;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>A store's file with many finished tasks in it, whose mail was read and acknowledged.</summary>
internal static class FinishedFile
{
    private const int Threads = 1000;
    private const int BatchSize = 500;

    /// <summary>Makes the file unless it is there, made by the same build of the store and of the same size.</summary>
    internal static async Task<Figures> MakeAsync(Parameters parameters)
    {
        var tasks = parameters.Int("tasks", 1_000_000);
        var path = parameters.Text("path") ?? throw new InvalidOperationException("The path is missing.");
        var stamp = string.Create(CultureInfo.InvariantCulture, $"{typeof(SqliteTaskStore).Assembly.ManifestModule.ModuleVersionId} {tasks}");
        if (File.Exists(path + ".stamp") && await File.ReadAllTextAsync(path + ".stamp") == stamp)
        {
            return new Figures { ["made"] = 0 };
        }

        foreach (var old in Directory.EnumerateFiles(Directory.CreateDirectory(Path.GetDirectoryName(path)!).FullName, Path.GetFileName(path) + "*"))
        {
            File.Delete(old);
        }

        var start = Stopwatch.GetTimestamp();
        await FillAsync(path, tasks);
        await File.WriteAllTextAsync(path + ".stamp", stamp);
        return new Figures { ["made"] = tasks, ["seconds"] = Stopwatch.GetElapsedTime(start).TotalSeconds };
    }

    /// <summary>Hands the store what a manager would, in large batches and without a sync for each.</summary>
    private static async Task FillAsync(string path, int tasks)
    {
        await using var store = await SqliteTaskStore.OpenAsync(path, new() { Synchronous = SqliteSynchronous.Normal });
        var writer = await StoreWriter.JoinAsync(store);
        for (var first = 0; first < tasks; first += BatchSize)
        {
            var numbers = Enumerable.Range(first, Math.Min(BatchSize, tasks - first)).ToList();
            var added = await writer.CommitAsync([.. numbers.Select(number => new AddTask { OwnerThreadId = ThreadOf(number), Type = "task" })]);
            await writer.CommitAsync([.. added.Select(answer => new FinishTask(((TaskAdded)answer).TaskId, TaskState.Completed))]);
        }

        var reader = Guid.NewGuid();
        for (var thread = 0; thread < Math.Min(Threads, tasks); thread++)
        {
            await writer.CommitAsync([new OpenMailbox(ThreadOf(thread), reader)]);
            await writer.CommitAsync([new AcknowledgeMail(ThreadOf(thread), reader, long.MaxValue)]);
            await writer.CommitAsync([new CloseMailbox(ThreadOf(thread), reader)]);
        }

        await writer.CommitAsync([new LeaveHost()]);
    }

    private static string ThreadOf(int number) => "thread-" + (number % Threads).ToString(CultureInfo.InvariantCulture);

    /// <summary>A host of the store that only hands batches in.</summary>
    private sealed class StoreWriter(SqliteTaskStore store, HostFence host)
    {
        private long _batch;

        internal static async Task<StoreWriter> JoinAsync(SqliteTaskStore store)
        {
            var joined = await new StoreWriter(store, HostFence.None).CommitAsync([new JoinHost("benchmark")]);
            return new(store, ((HostJoined)joined[0]).Fence);
        }

        internal async Task<IReadOnlyList<MutationAnswer>> CommitAsync(IReadOnlyList<Mutation> mutations)
        {
            var batch = new MutationBatch(new(host.Epoch, ++_batch), host, TimeProvider.System.GetUtcNow(), mutations);
            var result = await store.CommitAsync(batch, CancellationToken.None);
            return result.Status == CommitStatus.Landed
                ? result.Answers
                : throw new InvalidOperationException($"The store refused a batch: {string.Join(", ", result.Answers.Take(1))}.");
        }
    }
}
