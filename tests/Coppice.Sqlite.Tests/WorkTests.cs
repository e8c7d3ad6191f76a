using System.Text.Json;
using Coppice.Rows;
using Coppice.StoreContract;
using Microsoft.Data.Sqlite;

namespace Coppice.Sqlite.Tests;

/// <summary>Work in the file: what it keeps when it is opened again, what is taken back with a commit, and what goes when nothing is left of it.</summary>
public sealed class WorkTests : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ManualResetEventSlim _gate = new(initialState: true);
    private readonly SemaphoreSlim _entered = new(0);
    private int _commits;
    private bool _fails;
    private SqliteTaskStore? _store;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_store is { } store)
        {
            await store.DisposeAsync();
        }

        _folder.Dispose();
        _gate.Dispose();
        _entered.Dispose();
    }

    [Fact]
    public async Task A_store_that_is_opened_again_goes_on_where_it_was()
    {
        var host = await OpenAsync();
        var ids = new List<string>();
        foreach (var (thread, priority, delay) in new[] { ("t1", 0, 0), ("t1", 5, 0), ("t2", 5, 0), ("t2", 0, 0), ("t2", 9, 60), ("t1", 0, 0) })
        {
            ids.Add(await host.AddWorkAsync(thread: thread, work: work => work with
            {
                Priority = priority,
                Recovery = RecoveryPolicy.Resumable,
                IdempotencyKey = "key" + ids.Count,
                DueAt = host.Now + TimeSpan.FromMinutes(delay),
            }));
        }

        var first = await host.ClaimOneAsync();
        await host.AnswerAsync(new StoreStep(first.Task.TaskId, first.Claim, new TaskStep { Name = "one", Result = JsonElement.Parse("1") }));
        await host.AnswerAsync(new StoreStep(first.Task.TaskId, first.Claim, new TaskStep { Name = "two", Key = "k", After = "one", IsFork = true, Error = "no" }));
        await host.AnswerAsync(new StoreCheckpoint(first.Task.TaskId, first.Claim, JsonElement.Parse("[2]")));
        var steps = await _store!.ReadStepsAsync(first.Task.TaskId, 0, 10, Stop);

        host = await OpenAsync();

        Assert.Equal(steps, await _store!.ReadStepsAsync(first.Task.TaskId, 0, 10, Stop));
        var claimed = await host.ClaimAsync();
        Assert.Equal([ids[2], ids[1], ids[3], ids[0], ids[5]], claimed.Tasks.Select(static work => work.Task.TaskId));
        Assert.Equal([2, 3, 4, 5, 6], claimed.Tasks.Select(static work => work.Claim));
        Assert.Equal(host.Now + TimeSpan.FromMinutes(60), claimed.NextLook);
        var again = claimed.Tasks.Single(work => work.Task.TaskId == first.Task.TaskId);
        Assert.Equal((2, "[2]", 2, 1), (again.Steps, again.Checkpoint?.GetRawText(), again.Task.Work!.Attempt, again.Task.Work.Crashes));
        Assert.Equal(new TaskAdded(ids[4]) { WasKnown = true }, await host.AnswerAsync(StoreHost.WorkTask(thread: "t2", work: work => work with { IdempotencyKey = "key4" })));
        host.Now += TimeSpan.FromMinutes(60);
        Assert.Equal((ids[4], 7), await host.ClaimOneAsync() is var last ? (last.Task.TaskId, last.Claim) : default);
    }

    [Fact]
    public async Task What_a_failed_commit_had_claimed_handed_back_or_ended_is_where_it_was()
    {
        var host = await OpenAsync();
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await host.AddWorkAsync(thread: "t" + i));
        }

        var running = await host.ClaimOneAsync();
        _fails = true;
        await Assert.ThrowsAsync<TaskStoreException>(() => host.ClaimAsync());
        await Assert.ThrowsAsync<TaskStoreException>(() => host.HandBackAsync(running));
        await Assert.ThrowsAsync<TaskStoreException>(() => host.FinishAsync(running));
        await Assert.ThrowsAsync<TaskStoreException>(() => host.AddWorkAsync(kind: "other"));
        _fails = false;

        Assert.Empty((await host.ClaimAsync(10, new KindClaim("k") { MaxRunning = 1 })).Tasks);
        var claimed = await host.ClaimAsync(10, new KindClaim("k") { MaxRunning = 2 });
        Assert.Equal((ids[1], 2), Assert.Single(claimed.Tasks) is var next ? (next.Task.TaskId, next.Claim) : default);
        Assert.Empty(claimed.UnknownKinds);
        await host.FinishAsync(running);
    }

    [Fact]
    public async Task A_step_whose_commit_failed_leaves_its_place_to_the_next()
    {
        var host = await OpenAsync();
        var id = await host.AddWorkAsync(work: static work => work with { Recovery = RecoveryPolicy.Resumable });
        var claimed = await host.ClaimOneAsync();
        Task<MutationAnswer> StepAsync(string name) => host.AnswerAsync(new StoreStep(id, claimed.Claim, new TaskStep { Name = name }));
        await StepAsync("one");
        _fails = true;
        await Assert.ThrowsAsync<TaskStoreException>(() => StepAsync("lost"));
        _fails = false;

        await StepAsync("two");
        await StepAsync("three");

        Assert.Equal(["one", "two", "three"], (await _store!.ReadStepsAsync(id, 0, 10, Stop)).Select(static step => step.Name));
        Assert.Equal(["three"], (await _store.ReadStepsAsync(id, 2, 10, Stop)).Select(static step => step.Name));
    }

    [Fact]
    public async Task A_refused_batch_leaves_nothing_in_line()
    {
        var host = await OpenAsync();
        var named = StoreHost.WorkTask(task: static task => task with { Name = "n" });

        var refused = await host.CommitAsync(StoreHost.WorkTask(thread: "t2"), named, named);

        Assert.Equal(CommitStatus.Refused, refused.Status);
        var claimed = await host.ClaimAsync();
        Assert.Empty(claimed.Tasks);
        Assert.Empty((await host.ClaimAsync(10, new KindClaim("x"))).UnknownKinds);
        Assert.Equal("bg_0", await host.AddWorkAsync());
        Assert.Equal(1, (await host.ClaimOneAsync()).Claim);
    }

    [Fact]
    public async Task Nothing_stays_of_work_that_has_ended_and_was_forgotten()
    {
        var host = await OpenAsync();
        await host.AddWorkAsync(work: static work => work with { IdempotencyKey = "key" });
        await host.AddWorkAsync(thread: "t2", work: work => work with { DueAt = host.Now + TimeSpan.FromMinutes(1), Deadline = host.Now + TimeSpan.FromMinutes(2) });
        await host.AnswerAsync(new RestoreTasks("t3", [new TaskSnapshot { TaskId = "elsewhere", State = TaskState.Failed, Work = new TaskWork { Kind = "old" } }]));
        var claimed = await host.ClaimOneAsync();
        await host.AnswerAsync(new StoreStep(claimed.Task.TaskId, claimed.Claim, new TaskStep { Name = "one" }));
        await host.AnswerAsync(new StoreCheckpoint(claimed.Task.TaskId, claimed.Claim, JsonElement.Parse("1")));
        Assert.Equal((1, 1, 1), (Count("lanes"), Count("steps"), Count("checkpoints")));

        await host.FinishAsync(claimed);
        await host.AnswerAsync(new RequestCancel(CancelScope.Thread, "t2"));

        Assert.Equal((0, 0, 0), (Count("lanes"), Count("steps"), Count("checkpoints")));
        Assert.Equal((3, 3, 2), (Count("work"), Count("inputs"), Count("kinds")));
        Assert.Equal(0, Count("work WHERE rank IS NOT NULL OR due_ms IS NOT NULL OR expires_ms IS NOT NULL"));
        Assert.Equal(0, Count("kinds WHERE running <> 0 OR ready <> 0"));
        await host.AnswerAsync(new PruneTasks(host.Now + TimeSpan.FromDays(1)));
        Assert.Equal((0, 0, 0), (Count("work"), Count("inputs"), Count("kinds")));
        Assert.False(Assert.IsType<TaskAdded>(await host.AnswerAsync(StoreHost.WorkTask(work: static work => work with { IdempotencyKey = "key" }))).WasKnown);
    }

    [Fact]
    public void Of_the_crashes_of_a_kind_the_latest_thousand_are_kept()
    {
        using var connection = new Connection(_folder.Store, SqliteOpenMode.ReadWriteCreate, TimeSpan.FromSeconds(1));
        Schema.Migrate(connection, _folder.Store);
        var kinds = new KindTable(connection);
        var kind = kinds.Ensure("k");
        var start = DateTimeOffset.UnixEpoch;
        connection.Execute("BEGIN");
        for (var i = 0; i < IKindRows.MaxCrashes + 5; i++)
        {
            kinds.AddCrash(kind, start.AddMilliseconds(i / 2), i);
        }

        Assert.Equal(IKindRows.MaxCrashes, connection.Scalar("SELECT count(*) FROM kind_crashes"));
        Assert.Equal(start.AddMilliseconds(502), kinds.CrashBefore(kind, 1));
        Assert.Equal(start.AddMilliseconds(2), kinds.CrashBefore(kind, IKindRows.MaxCrashes));
        Assert.Null(kinds.CrashBefore(kind, IKindRows.MaxCrashes + 1));
    }

    [Fact]
    public async Task A_host_with_room_takes_a_task_in_the_transaction_that_adds_it()
    {
        const int Rounds = 20;
        var host = await OpenAsync();
        var kind = new TaskKind<string, string>("work");
        var options = new BackgroundTaskOptions();
        options.Tasks.Add(kind, static (input, _) => Task.FromResult(input));
        await using var manager = await BackgroundTaskManager.StartAsync(_store!, options, Stop);
        await (await manager.SpawnAsync(kind, "t1", "first", cancellationToken: Stop)).ResultAsync(Stop).Within();
        _commits = 0;

        for (var round = 0; round < Rounds; round++)
        {
            // While the writer stands still, the spawn and what comes right behind it wait for the same transaction.
            _gate.Reset();
            var held = host.AddAsync();
            await _entered.WaitAsync(Stop).Within();
            var spawn = manager.SpawnAsync(kind, "t1", $"{round}", cancellationToken: Stop);
            _gate.Set();
            await held.Within();
            await (await spawn.AsTask().Within()).ResultAsync(Stop).Within();
        }

        // Each round the one that was held, the spawn with the claim, and the end; a look that came at the wrong moment may cost one more.
        Assert.InRange(_commits, 3 * Rounds, (3 * Rounds) + (Rounds / 4));
    }

    /// <summary>Opens the store, once more if it is open, and joins it at the time of the host before.</summary>
    private async Task<StoreHost> OpenAsync()
    {
        if (_store is { } open)
        {
            await open.DisposeAsync();
        }

        _store = await SqliteTaskStore.OpenAsync(
            _folder.Store,
            new()
            {
                CommitSeam = commit =>
                {
                    if (_fails)
                    {
                        throw new SqliteException("disk I/O error", 10);
                    }

                    if (!_gate.IsSet)
                    {
                        _entered.Release();
                        _gate.Wait(Stop);
                    }

                    _commits++;
                    commit();
                },
            },
            Stop);
        return await StoreHost.JoinAsync(_store);
    }

    private long? Count(string what)
    {
        using var connection = new Connection(_folder.Store, SqliteOpenMode.ReadOnly, TimeSpan.FromSeconds(1));
        return connection.Scalar($"SELECT count(*) FROM {what}");
    }
}
