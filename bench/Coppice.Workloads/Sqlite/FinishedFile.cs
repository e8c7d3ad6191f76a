using System.Globalization;

namespace Coppice.Workloads;

/// <summary>A store's file with many finished tasks in it, whose mail was read and acknowledged.</summary>
internal static class FinishedFile
{
    private const int Threads = 1000;
    private const int BatchSize = 500;

    internal static Task<Figures> MakeAsync(Parameters parameters) => PreparedFile.MakeAsync(parameters, FillAsync);

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
}
