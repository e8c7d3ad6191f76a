using System.Text.Json;
using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Reading;

/// <summary>Single tasks, their steps, and which of them are live.</summary>
public sealed class TaskReadTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_task_reads_as_it_was_stored_with_everything_that_it_says()
    {
        await using var store = await ReadFixture.CreateAsync();
        var task = new TaskSnapshot
        {
            TaskId = "bg_7",
            OwnerThreadId = "t '1",
            Type = "sub_agent",
            Name = "ünï 😀",
            Description = "50% _done_ \\ \"quoted\"",
            State = TaskState.Failed,
            Error = "it's broken",
            Result = Json("{ \"a\" : [1.0, 1e3,  \"\\u00fc\"] }"),
            CreatedAt = ReadFixture.Noon,
            CompletedAt = ReadFixture.Noon.AddMilliseconds(1),
            CancelRequestedAt = ReadFixture.Noon.AddMilliseconds(2),
            CancelledBy = "tree:bg_1",
            Notify = NotifyPolicy.Silent,
            AgentThreadId = "agent 😀",
            Continues = "bg_9007199254740993",
            Lineage = new TaskLineage { TaskId = "not ours", RunId = "r", CallId = "c", AgentId = "a" },
            Work = new TaskWork
            {
                Kind = "crawl",
                Version = 3,
                Input = Json("[ 1 ]"),
                Recovery = (RecoveryPolicy)1,
                Priority = -5,
                Attempt = 4,
                Failures = 2,
                Crashes = 1,
                DueAt = ReadFixture.Noon.AddHours(1),
                Deadline = ReadFixture.Noon.AddHours(2),
                IdempotencyKey = "key",
                LastError = "last",
            },
        };
        await store.AddAsync(task);

        var read = await store.Reader.GetAsync("bg_7", Stop);

        Assert.Equal(task, read);
        Assert.Equal("{ \"a\" : [1.0, 1e3,  \"\\u00fc\"] }", read!.Result!.Value.GetRawText());
        Assert.Equal("[ 1 ]", read.Work!.Input.GetRawText());
        Assert.Equal([task], await store.Reader.ListAsync(new TaskQuery(), null, 10, Stop));
    }

    [Fact]
    public async Task A_task_that_says_little_reads_so_and_JSON_null_is_a_result()
    {
        await using var store = await ReadFixture.CreateAsync();
        var plain = await store.AddAsync("bg_0");
        var foreign = new TaskSnapshot { TaskId = "x'; --", OwnerThreadId = "t1", State = TaskState.Completed, CreatedAt = DateTimeOffset.MinValue, Result = Json("null") };
        await store.AddAsync(foreign);

        Assert.Equal(plain, await store.Reader.GetAsync("bg_0", Stop));
        Assert.Same(TaskLineage.None, (await store.Reader.GetAsync("bg_0", Stop))!.Lineage);
        Assert.Equal(foreign, await store.Reader.GetAsync("x'; --", Stop));
        Assert.Equal(JsonValueKind.Null, (await store.Reader.GetAsync("x'; --", Stop))!.Result!.Value.ValueKind);
    }

    [Fact]
    public async Task An_unknown_id_is_no_task_and_has_no_steps()
    {
        await using var store = await ReadFixture.CreateAsync();
        await store.AddAsync("bg_0");
        await store.AddAsync("foreign");
        foreach (var id in new[] { "", "bg_1", "bg_00", "BG_0", "nonsense ' ; --", "bg_0\0", "\uD83D", "bg_1152921504606846976" })
        {
            Assert.Null(await store.Reader.GetAsync(id, Stop));
            Assert.Empty(await store.Reader.ReadStepsAsync(id, 0, 10, Stop));
            Assert.Null(await store.Reader.FindLiveChildAsync(new TaskLineage { TaskId = id }, "name", Stop));
            Assert.Null(await store.Reader.FindLiveChildAsync(new TaskLineage { TaskId = "bg_0" }, id, Stop));
            Assert.Null(await store.Reader.FindLiveChildAsync(new TaskLineage { RunId = id }, id, Stop));
            Assert.False(await store.Reader.HasLiveAsync(id, Stop));
        }
    }

    [Fact]
    public async Task Steps_are_read_in_their_order_a_page_at_a_time()
    {
        await using var store = await ReadFixture.CreateAsync();
        await store.AddAsync("bg_0");
        await store.AddAsync("foreign");
        await store.SqlAsync(
            """
            INSERT INTO {schema}.steps (owner_thread_id, n, place, is_fork, name, key, after, error, result)
            SELECT owner_thread_id, n, p, p = 1, 'step' || p, CASE WHEN p = 2 THEN 'k' ELSE '' END, CASE WHEN p = 0 THEN '' ELSE 'step' || p - 1 END,
                CASE WHEN p = 1 THEN 'failed' END, CASE WHEN p <> 1 THEN '{ "p" : ' || p || ' }' END
            FROM {schema}.task_ids, generate_series(0, 4) AS p
            """);

        foreach (var id in new[] { "bg_0", "foreign" })
        {
            var all = await store.Reader.ReadStepsAsync(id, 0, 100, Stop);
            Assert.Equal(["step0", "step1", "step2", "step3", "step4"], all.Select(static step => step.Name));
            Assert.Equal(new TaskStep { Name = "step1", After = "step0", IsFork = true, Error = "failed" }, all[1]);
            Assert.Equal(new TaskStep { Name = "step2", Key = "k", After = "step1", Result = Json("{\"p\":2}") }, all[2]);
            Assert.Equal("{ \"p\" : 2 }", all[2].Result!.Value.GetRawText());
            Assert.Equal(all.Skip(1).Take(2), await store.Reader.ReadStepsAsync(id, 1, 2, Stop));
            Assert.Empty(await store.Reader.ReadStepsAsync(id, 5, 2, Stop));
        }
    }

    [Fact]
    public async Task A_thread_has_live_tasks_until_the_last_has_ended()
    {
        await using var store = await ReadFixture.CreateAsync();
        await store.AddAsync("bg_0", thread: "t1");
        await store.AddAsync("bg_1", TaskState.Completed, "t2");
        Assert.True(await store.Reader.HasLiveAsync("t1", Stop));
        Assert.False(await store.Reader.HasLiveAsync("t2", Stop));
        Assert.False(await store.Reader.HasLiveAsync("T1", Stop));

        await store.SqlAsync("UPDATE {schema}.branches SET ended = true");

        Assert.False(await store.Reader.HasLiveAsync("t1", Stop));
    }

    [Fact]
    public async Task A_live_child_of_a_task_is_found_by_id_and_then_by_name()
    {
        await using var store = await ReadFixture.CreateAsync();
        var ours = new TaskLineage { TaskId = "bg_0" };
        var foreign = new TaskLineage { TaskId = "elsewhere" };
        await store.AddAsync("bg_0");
        await store.AddAsync("elsewhere");
        await store.AddAsync("bg_2", name: "two", lineage: ours);
        await store.AddAsync("bg_1", thread: "t2", name: "two", lineage: ours);
        await store.AddAsync("child é", name: "three", lineage: foreign);
        await store.AddAsync("bg_3", TaskState.Completed, name: "ended", lineage: ours);
        await store.AddAsync("bg_4", name: "child é", lineage: foreign);

        Assert.Equal("bg_2", await store.Reader.FindLiveChildAsync(ours, "bg_2", Stop));
        Assert.Equal("bg_1", await store.Reader.FindLiveChildAsync(ours, "two", Stop));
        Assert.Equal("child é", await store.Reader.FindLiveChildAsync(foreign, "child é", Stop));
        Assert.Equal("child é", await store.Reader.FindLiveChildAsync(foreign, "three", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(foreign, "two", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(ours, "Two", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(ours, "child é", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(ours, "ended", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(ours, "bg_3", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(TaskLineage.None, "two", Stop));

        await store.SqlAsync("UPDATE {schema}.branches SET ended = true WHERE n = 1");
        Assert.Equal("bg_2", await store.Reader.FindLiveChildAsync(ours, "two", Stop));
    }

    [Fact]
    public async Task A_live_child_of_a_run_is_one_without_a_parent_task()
    {
        await using var store = await ReadFixture.CreateAsync();
        await store.AddAsync("bg_0", name: "root", lineage: new TaskLineage { RunId = "r'1" });
        await store.AddAsync("bg_1", name: "below", lineage: new TaskLineage { RunId = "r'1", TaskId = "bg_0" });
        await store.AddAsync("foreign", name: "other", lineage: new TaskLineage { RunId = "r'1" });
        var run = new TaskLineage { RunId = "r'1", TaskId = "" };

        Assert.Equal("bg_0", await store.Reader.FindLiveChildAsync(run, "root", Stop));
        Assert.Equal("bg_0", await store.Reader.FindLiveChildAsync(run, "bg_0", Stop));
        Assert.Equal("foreign", await store.Reader.FindLiveChildAsync(run, "other", Stop));
        Assert.Equal("foreign", await store.Reader.FindLiveChildAsync(run, "foreign", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(run, "below", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(run, "bg_1", Stop));
        Assert.Null(await store.Reader.FindLiveChildAsync(run with { RunId = "r" }, "root", Stop));
    }

    private static JsonElement Json(string json) => TaskRow.ReadJson(json);
}
