using System.Text.Json;
using Coppice.PostgreSql.Tests.Support;

namespace Coppice.PostgreSql.Tests.Writing;

/// <summary>What the batches of a group see of each other, before anything of them is written.</summary>
public sealed class GroupTests
{
    private static readonly JsonElement Nothing = JsonElement.Parse("null");

    [Fact]
    public async Task A_name_is_taken_by_an_earlier_batch_of_the_group_and_free_after_its_end()
    {
        await using var group = await GroupFixture.CreateAsync();
        var first = group.Add(Task() with { Name = "a" });

        var answers = Answers(group.Write(
            Task() with { Name = "a" }, Task() with { Name = "b" }, Task() with { Name = "b" },
            new FinishTask(first, TaskState.Completed), Task() with { Name = "a" }, Task() with { Name = "a" }));

        Assert.Equal(new AddRefused(SpawnError.DuplicateName), answers[0]);
        Assert.IsType<TaskAdded>(answers[1]);
        Assert.Equal(new AddRefused(SpawnError.DuplicateName), answers[2]);
        Assert.IsType<TaskAdded>(answers[4]);
        Assert.Equal(new AddRefused(SpawnError.DuplicateName), answers[5]);
        Assert.Equal(2, await group.CountAsync("branches"));
        Assert.Equal(3, await group.CountAsync("tasks"));
    }

    [Fact]
    public async Task An_idempotency_key_of_an_earlier_batch_of_the_group_is_known()
    {
        await using var group = await GroupFixture.CreateAsync();
        var work = Task() with { Work = new NewWork { Kind = "k", Input = Nothing, IdempotencyKey = "key" } };

        var answers = Answers(group.Write(work, work));

        Assert.Equal(((TaskAdded)answers[0]).TaskId, ((TaskAdded)answers[1]).TaskId);
        Assert.True(((TaskAdded)answers[1]).WasKnown);
        Assert.Equal(1, await group.CountAsync("work WHERE key = 'key'"));
    }

    [Fact]
    public async Task A_task_that_ends_in_the_group_in_which_it_was_added_is_written_as_it_is_then()
    {
        await using var group = await GroupFixture.CreateAsync();
        var next = int.Parse(group.Add(Task())["bg_".Length..], System.Globalization.CultureInfo.InvariantCulture) + 1;

        group.Write(
            Task() with { Name = "a" }, new MoveTask($"bg_{next}", TaskState.InputRequired), new RequestCancel(CancelScope.Task, $"bg_{next}"),
            new FinishTask($"bg_{next}", TaskState.Cancelled) { Error = "gone" });

        Assert.Equal(1, await group.CountAsync($"tasks WHERE n = {next} AND state = 5 AND cancelled_by = 'user' AND cancel_ms IS NOT NULL"));
        Assert.Equal(0, await group.CountAsync($"branches WHERE n = {next}"));
        Assert.Equal(1, await group.CountAsync("mail"));
    }

    [Fact]
    public async Task A_parent_that_ends_after_its_last_child_in_one_group_leaves_nothing_on_the_branch()
    {
        await using var group = await GroupFixture.CreateAsync();
        var parent = group.Add(Task());
        var children = Answers(group.Write(Child(parent), Child(parent))).Cast<TaskAdded>().Select(static added => added.TaskId).ToList();

        group.Write(new FinishTask(children[0], TaskState.Completed), new FinishTask(parent, TaskState.Completed));
        Assert.Equal(1, await group.CountAsync("branches WHERE ended AND host_epoch IS NULL"));
        group.Write(new FinishTask(children[1], TaskState.Completed));

        Assert.Equal(0, await group.CountAsync("branches"));
    }

    [Fact]
    public async Task What_is_taken_back_before_anything_was_sent_leaves_what_was_before_and_what_comes_after()
    {
        await using var group = await GroupFixture.CreateAsync();
        var live = group.Add(Task());

        var written = group.WriteGroup(
            [new FinishTask(live, TaskState.Completed)],
            [Task() with { Name = "twice" }, Task() with { Name = "twice" }],
            [Task() with { Name = "twice" }]);

        Assert.Equal([CommitStatus.Landed, CommitStatus.Refused, CommitStatus.Landed], written.Select(static batch => batch.Status));
        Assert.Equal(1, await group.CountAsync("tasks WHERE name = 'twice'"));
        Assert.Equal(1, await group.CountAsync("branches"));
        Assert.Equal(1, await group.CountAsync("tasks WHERE state = 3"));
        Assert.Equal(1, await group.CountAsync("mail"));
        Assert.Equal(1, await group.CountAsync("threads WHERE last_seq = 1"));
    }

    [Fact]
    public async Task What_is_taken_back_after_some_of_it_was_sent_leaves_what_was_before_and_what_comes_after()
    {
        await using var group = await GroupFixture.CreateAsync();
        var live = group.Add(Task() with { Lineage = new TaskLineage { RunId = "run" } });

        // Who looks for the tasks of a run looks in the table, which has to have what the batch has written so far.
        var written = group.WriteGroup(
            [Task() with { Name = "before" }, new FinishTask(live, TaskState.Completed)],
            [
                Task() with { Name = "twice", Lineage = new TaskLineage { RunId = "run" } },
                new RequestCancel(CancelScope.Run, "run"),
                Task() with { Name = "twice" },
            ],
            [Task() with { Name = "twice" }, Task() with { Name = "after" }]);

        Assert.Equal([CommitStatus.Landed, CommitStatus.Refused, CommitStatus.Landed], written.Select(static batch => batch.Status));
        Assert.Equal(0, await group.CountAsync("tasks WHERE cancel_ms IS NOT NULL"));
        Assert.Equal(3, await group.CountAsync("branches WHERE name IN ('before', 'twice', 'after')"));
        Assert.Equal(3, await group.CountAsync("branches"));
        Assert.Equal(1, await group.CountAsync("mail"));
    }

    private static AddTask Task() => new() { OwnerThreadId = "t1", Type = "t" };

    private static AddTask Child(string parent) => Task() with { Lineage = new TaskLineage { TaskId = parent } };

    private static List<MutationAnswer> Answers(WrittenBatch[] written) => [.. written.Select(static batch => batch.Answers[0])];
}
