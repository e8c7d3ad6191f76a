using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>The steps and the checkpoint of a task: kept from attempt to attempt, gone when it has ended.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class StepsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task Steps_are_read_in_the_order_in_which_they_were_stored_as_they_were_written()
    {
        const string Json = """{"b":1.50,"a":[1e3,null,"\u00e9"]}""";
        var host = await JoinAsync();
        await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        TaskStep[] steps =
        [
            new() { Name = "z", Result = Mailbag.Json(Json) }, new() { Name = "a", After = "z", Error = "boom", IsFork = true },
            new() { Name = "a", Key = "1", Result = Mailbag.Json("null") }, new() { Name = "a", Key = "2" },
        ];
        foreach (var step in steps)
        {
            Assert.Same(StepStored.Instance, await StoreAsync(host, claimed, step));
        }

        await ReopenAsync();

        var read = await Store.ReadStepsAsync(claimed.Task.TaskId, 0, 100, Stop);
        Assert.Equal(steps, read);
        Assert.Equal(Json, read[0].Result!.Value.GetRawText());
        Assert.Equal(JsonValueKind.Null, read[2].Result!.Value.ValueKind);
        Assert.Null(read[3].Result);
    }

    [Fact]
    public async Task Steps_are_read_page_by_page()
    {
        var host = await JoinAsync();
        await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        await host.CommitAsync([.. Enumerable.Range(0, 25).Select(i => new StoreStep(claimed.Task.TaskId, claimed.Claim, new TaskStep { Name = $"s{i}" }))]);

        async Task<IEnumerable<string>> NamesAsync(int from, int limit) =>
            (await Store.ReadStepsAsync(claimed.Task.TaskId, from, limit, Stop)).Select(static step => step.Name);

        Assert.Equal(["s0", "s1", "s2"], await NamesAsync(0, 3));
        Assert.Equal(["s23", "s24"], await NamesAsync(23, 10));
        Assert.Empty(await NamesAsync(25, 10));
        Assert.Empty(await NamesAsync(int.MaxValue, int.MaxValue));
    }

    [Fact]
    public async Task A_step_that_is_stored_stays_as_it_is()
    {
        var host = await JoinAsync();
        await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        var first = new TaskStep { Name = "s", Key = "k", Result = Mailbag.Json("1") };
        await StoreAsync(host, claimed, first);

        Assert.Same(StepStored.Instance, await StoreAsync(host, claimed, first with { Result = Mailbag.Json("2"), After = "x" }));
        await StoreAsync(host, claimed, first with { Key = "K" });
        await StoreAsync(host, claimed, first with { Name = "S" });

        Assert.Equal([first, first with { Key = "K" }, first with { Name = "S" }], await Store.ReadStepsAsync(claimed.Task.TaskId, 0, 10, Stop));
    }

    [Fact]
    public async Task Of_two_steps_of_one_name_and_key_in_a_batch_the_first_stays()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        var first = new TaskStep { Name = "s", Result = Mailbag.Json("1") };

        var result = await host.CommitAsync(
            new StoreStep(id, claimed.Claim, first), new StoreStep(id, claimed.Claim, first with { Result = Mailbag.Json("2") }));

        Assert.Equal([StepStored.Instance, StepStored.Instance], result.Answers);
        Assert.Equal([first], await Store.ReadStepsAsync(id, 0, 10, Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Steps_and_checkpoint_are_there_for_the_next_attempt(bool isCrash)
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(work: static work => work with { Recovery = RecoveryPolicy.Resumable });
        var claimed = await host.ClaimOneAsync();
        await StoreAsync(host, claimed, new TaskStep { Name = "s" });
        await host.AnswerAsync(new StoreCheckpoint(id, claimed.Claim, Mailbag.Json("""{"a":1.0}""")));
        var other = await JoinAsync("other");
        if (isCrash)
        {
            await other.AnswerAsync(new SettleHost(host.Fence));
        }
        else
        {
            await host.HandBackAsync(claimed, error: "again");
        }

        await ReopenAsync();
        var next = await (await JoinAsync("next")).ClaimOneAsync();

        Assert.Equal((1, """{"a":1.0}"""), (next.Steps, next.Checkpoint!.Value.GetRawText()));
        Assert.Equal([new TaskStep { Name = "s" }], await Store.ReadStepsAsync(id, 0, 10, Stop));
    }

    [Fact]
    public async Task A_checkpoint_takes_the_place_of_the_one_before_and_none_takes_it_away()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();

        async Task<string?> AfterAsync(params JsonElement?[] values)
        {
            var claimed = await host.ClaimOneAsync();
            foreach (var value in values)
            {
                Assert.Same(StepStored.Instance, await host.AnswerAsync(new StoreCheckpoint(id, claimed.Claim, value)));
            }

            await host.HandBackAsync(claimed);
            var next = await host.ClaimOneAsync();
            await host.HandBackAsync(next);
            return next.Checkpoint?.GetRawText();
        }

        Assert.Equal("2", await AfterAsync(Mailbag.Json("1"), Mailbag.Json("2")));
        Assert.Equal("2", await AfterAsync());
        Assert.Equal("null", await AfterAsync(Mailbag.Json("null")));
        Assert.Null(await AfterAsync(Mailbag.Json("3"), null));
    }

    [Fact]
    public async Task A_task_that_waits_for_input_keeps_steps_and_checkpoints()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        await host.AnswerAsync(new MoveTask(id, TaskState.InputRequired) { Claim = claimed.Claim });

        await StoreAsync(host, claimed, new TaskStep { Name = "s" });
        await host.AnswerAsync(new StoreCheckpoint(id, claimed.Claim, Mailbag.Json("1")));

        Assert.Single(await Store.ReadStepsAsync(id, 0, 10, Stop));
    }

    [Theory]
    [InlineData(TaskState.Completed)]
    [InlineData(TaskState.Failed)]
    [InlineData(TaskState.Cancelled)]
    public async Task An_ended_task_has_no_steps_and_takes_none(TaskState end)
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        await StoreAsync(host, claimed, new TaskStep { Name = "s" });
        await host.FinishAsync(claimed, end);

        Assert.Empty(await Store.ReadStepsAsync(id, 0, 10, Stop));
        Assert.Equal(new MoveRefused(end), await host.RefusalAsync(new StoreStep(id, claimed.Claim, new TaskStep { Name = "t" })));
        Assert.Equal(new MoveRefused(end), await host.RefusalAsync(new StoreCheckpoint(id, claimed.Claim, null)));
        var work = (await Store.GetAsync(id, Stop))!.Work!;
        Assert.Equal(("k", 1, null), (work.Kind, work.Attempt, work.DueAt));
    }

    [Fact]
    public async Task A_step_and_the_end_of_its_task_land_in_one_batch()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();

        var result = await host.CommitAsync(
            new StoreStep(id, claimed.Claim, new TaskStep { Name = "s" }), StoreHost.Finish(id) with { Claim = claimed.Claim });

        Assert.Equal([StepStored.Instance, TaskFinished.Instance], result.Answers);
        Assert.Empty(await Store.ReadStepsAsync(id, 0, 10, Stop));
    }

    [Fact]
    public async Task Tasks_without_steps_have_none_and_wrong_pages_are_the_callers_mistake()
    {
        var host = await JoinAsync();
        Assert.Empty(await Store.ReadStepsAsync(await host.AddWorkAsync(), 0, 10, Stop));
        Assert.Empty(await Store.ReadStepsAsync(await host.AddAsync(), 0, 10, Stop));
        Assert.Empty(await Store.ReadStepsAsync("bg_99", 0, 10, Stop));
        Assert.Empty(await Store.ReadStepsAsync("", 0, 10, Stop));

        await Assert.ThrowsAsync<ArgumentNullException>(() => Store.ReadStepsAsync(null!, 0, 1, Stop).Within());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.ReadStepsAsync("bg_0", -1, 1, Stop).Within());
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.ReadStepsAsync("bg_0", 0, 0, Stop).Within());
    }

    private static Task<MutationAnswer> StoreAsync(StoreHost host, ClaimedWork claimed, TaskStep step) =>
        host.AnswerAsync(new StoreStep(claimed.Task.TaskId, claimed.Claim, step));
}
