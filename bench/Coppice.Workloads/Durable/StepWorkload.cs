using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Coppice.Workloads;

/// <summary>
/// What a step of a task costs, one after another, beside a commit of the same store that writes one row: the checkpoint of a task of a host
/// that only hands batches in. Both in short turns, so that what happens to the disk meets both alike.
/// </summary>
internal static class StepWorkload
{
    private const int Turn = 20;

    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var steps = parameters.Int("steps", 1000);
        var unmeasured = parameters.Int("unmeasured", 400);
        using var folder = new ScratchFolder();
        await using var store = await SqliteTaskStore.OpenAsync(folder.File("tasks.db"));
        var figures = new TaskCompletionSource<Figures>();
        var options = DurableKinds.Options(DurableKinds.Stepping, async (input, context) =>
        {
            var commits = await OneRow.CreateAsync(store);
            await MeasureAsync(context, commits, 0, unmeasured);
            WarmUp.Collect();
            figures.SetResult(await MeasureAsync(context, commits, unmeasured, steps));
            return input;
        });

        // The host that only hands batches in gives no sign of life.
        options.HostTimeout = TimeSpan.FromHours(1);
        await using var manager = await BackgroundTaskManager.StartAsync(store, options);
        var task = await manager.SpawnAsync(DurableKinds.Stepping, "thread", DurableKinds.Value);
        await task.ResultAsync();
        return await figures.Task;
    }

    private static async Task<Figures> MeasureAsync(DurableTaskContext context, OneRow commits, int from, int count)
    {
        var (ours, commit) = (TimeSpan.Zero, TimeSpan.Zero);
        for (var done = 0; done < count; done += Turn)
        {
            ours += await TimeAsync(step => context.StepAsync(
                string.Create(CultureInfo.InvariantCulture, $"step-{from + done + step}"), static _ => Task.FromResult(DurableKinds.Value),
                DurableJson.Default.Int32));
            commit += await TimeAsync(_ => commits.CommitAsync());
        }

        return new Figures { ["us"] = ours.TotalMicroseconds / count, ["commit_us"] = commit.TotalMicroseconds / count };
    }

    private static async Task<TimeSpan> TimeAsync(Func<int, Task> work)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < Turn; i++)
        {
            await work(i);
        }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>A task of its own host, whose checkpoint is written again and again.</summary>
    private sealed class OneRow(StoreWriter writer, string taskId, long claim)
    {
        private static readonly JsonElement Checkpoint = JsonSerializer.SerializeToElement(DurableKinds.Value, DurableJson.Default.Int32);

        internal static async Task<OneRow> CreateAsync(SqliteTaskStore store)
        {
            const string Kind = "one-row";
            var writer = await StoreWriter.JoinAsync(store);
            await writer.CommitAsync(
                [new AddTask { OwnerThreadId = "thread", Type = Kind, Work = new NewWork { Kind = Kind, Input = Checkpoint, Recovery = RecoveryPolicy.Resumable } }]);
            var claimed = (WorkClaimed)(await writer.CommitAsync([new ClaimWork([new KindClaim(Kind)], 1)]))[0];
            return new OneRow(writer, claimed.Tasks[0].Task.TaskId, claimed.Tasks[0].Claim);
        }

        internal Task<IReadOnlyList<MutationAnswer>> CommitAsync() => writer.CommitAsync([new StoreCheckpoint(taskId, claim, Checkpoint)]);
    }
}

/// <summary>One row, of a step, by a bare prepared statement in a transaction of its own, in a file that the store made.</summary>
internal static class StepFloor
{
    internal static async Task<Figures> RunAsync(Parameters parameters)
    {
        var steps = parameters.Int("steps", 1000);
        var unmeasured = parameters.Int("unmeasured", 400);
        using var folder = new ScratchFolder();
        using var rows = await FloorRows.CreateAsync(folder.File("floor.db"));
        Write(rows, 0, unmeasured);
        WarmUp.Collect();

        var start = Stopwatch.GetTimestamp();
        Write(rows, unmeasured, steps);
        return new Figures { ["us"] = Stopwatch.GetElapsedTime(start).TotalMicroseconds / steps };
    }

    private static void Write(FloorRows rows, int from, int count)
    {
        for (var step = from; step < from + count; step++)
        {
            rows.WriteStep(step);
        }
    }
}
