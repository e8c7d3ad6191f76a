using System.Text.Json;
using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.Writing;

public sealed class ExchangeTests
{
    [Fact]
    public async Task What_is_known_here_is_written_in_one_exchange()
    {
        await using var group = await GroupFixture.CreateAsync();
        group.Ahead = true;
        group.Add(Task("t1") with { Name = "first" });

        var id = group.Add(Task("t1") with { Name = "second" });
        Assert.Equal(1, group.Exchanges);

        // Who reads the mail of the thread is found out once.
        group.Write(new FinishTask(id, TaskState.Completed));
        id = group.Add(Task("t1") with { Name = "second" });
        Assert.Equal(1, group.Exchanges);
        Assert.IsType<TaskFinished>(group.Write(new FinishTask(id, TaskState.Completed)).Single().Answers[0]);
        Assert.Equal(1, group.Exchanges);
    }

    [Fact]
    public async Task A_spawn_in_a_thread_that_is_new_reads_and_takes_one_exchange_more()
    {
        await using var group = await GroupFixture.CreateAsync();
        group.Add(Task("t1"));
        group.Write([.. Enumerable.Range(0, 2).Select(static _ => Task("t1") with { Name = "n" })]);
        var known = group.Exchanges;

        group.Write([.. Enumerable.Range(0, 50).Select(static i => Task($"new{i}") with { Name = "n" })]);

        Assert.Equal(known + 1, group.Exchanges);
        Assert.Equal(51, await group.CountAsync("threads t JOIN {schema}.thread_ids i USING (owner_thread_id) WHERE owner_thread_id <= 51"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_group_takes_no_more_exchanges_than_one_batch(bool ahead)
    {
        await using var group = await GroupFixture.CreateAsync();
        group.Ahead = ahead;
        foreach (var added in group.Write([.. Enumerable.Range(0, 10).Select(static i => Task($"t{i}"))]).Take(5))
        {
            group.Write(new FinishTask(((TaskAdded)added.Answers[0]).TaskId, TaskState.Completed));
        }

        group.Add(Task("t1") with { Name = "n" });
        var one = group.Exchanges;
        var many = group.Write([.. Enumerable.Range(0, 100).Select(static i => Task($"t{i % 5}") with { Name = $"n{i}" })]);
        Assert.Equal(one, group.Exchanges);

        var ids = many.Select(static batch => ((TaskAdded)batch.Answers[0]).TaskId);
        var ended = group.Write([.. ids.Select(static id => new FinishTask(id, TaskState.Failed) { Error = "no" })]);
        Assert.InRange(group.Exchanges, one, ahead ? one : one + 1);
        Assert.All(ended, static batch => Assert.IsType<TaskFinished>(batch.Answers[0]));
        Assert.Equal(100, await group.CountAsync("tasks WHERE state = 4 AND error = 'no' AND completed_ms IS NOT NULL"));
        Assert.Equal(105, await group.CountAsync("mail"));
        Assert.Equal(6, await group.CountAsync("branches"));
        Assert.Equal(5, await group.CountAsync("threads WHERE last_seq = 21 AND terminals = 21 AND wakes"));
    }

    [Fact]
    public async Task What_is_nested_takes_one_exchange_too()
    {
        await using var group = await GroupFixture.CreateAsync();
        group.Ahead = true;
        group.Write(new FinishTask(group.Add(Task("t1")), TaskState.Completed));
        var parent = group.Add(Task("t1"));
        var child = group.Add(Task("t1") with { Lineage = new TaskLineage { TaskId = parent } });
        Assert.Equal(1, group.Exchanges);
        var grandchild = group.Add(Task("t1") with { Lineage = new TaskLineage { TaskId = child }, MaxDepth = 3 });
        Assert.Equal(1, group.Exchanges);

        group.Write(new FinishTask(child, TaskState.Completed));
        Assert.Equal(1, group.Exchanges);
        group.Write(new FinishTask(grandchild, TaskState.Completed));
        Assert.Equal(1, group.Exchanges);
        Assert.Equal(1, await group.CountAsync("branches"));
    }

    [Fact]
    public async Task Who_acknowledges_all_mail_takes_one_exchange()
    {
        await using var group = await GroupFixture.CreateAsync();
        group.Ahead = true;
        var reader = Guid.NewGuid();
        group.Write(new FinishTask(group.Add(Task("t1")), TaskState.Completed));
        group.Write(new OpenMailbox("t1", reader));

        Assert.Equal(new MailAcknowledged(1), group.Write(new AcknowledgeMail("t1", reader, 9)).Single().Answers[0]);

        Assert.Equal(1, group.Exchanges);
        Assert.Equal(0, await group.CountAsync("mail"));
        Assert.Equal(1, await group.CountAsync("threads WHERE acked = 1 AND terminals = 0 AND unread_terminals = 0 AND NOT wakes"));
    }

    [Fact]
    public async Task A_turn_of_an_agent_with_the_mail_that_it_is_done_with_takes_one_exchange()
    {
        await using var group = await GroupFixture.CreateAsync();
        group.Ahead = true;
        var reader = Guid.NewGuid();
        group.Write(new FinishTask(group.Add(Task("t1")), TaskState.Completed));
        group.Write(new OpenMailbox("t1", reader));

        var append = new AppendConversation("t1", reader, 0, [JsonElement.Parse("1"), JsonElement.Parse("2")]) { AcknowledgeThrough = 1 };
        Assert.Equal(new ConversationAppended(2), group.Write(append).Single().Answers[0]);

        Assert.Equal(1, group.Exchanges);
        Assert.Equal(0, await group.CountAsync("mail"));
        Assert.Equal(2, await group.CountAsync("conversations"));
        var again = append with { Entries = [JsonElement.Parse("3")], AcknowledgeThrough = 0 };
        group.WriteGroup([new ForgetConversation("t1")], [again]);
        Assert.Equal(1, await group.CountAsync("conversations WHERE entry = 0 AND json = '3'"));
        Assert.Equal(1, await group.CountAsync("conversations"));
    }

    [Fact]
    public async Task Messages_in_the_mailbox_are_looked_at_before_it_is_acknowledged()
    {
        await using var group = await GroupFixture.CreateAsync();
        group.Ahead = true;
        var reader = Guid.NewGuid();
        var agent = group.Add(Task("t1") with { AgentThreadId = "a1", AgentReader = reader });
        var from = new MessageSender("t1", "a");
        Assert.IsType<MessageSent>(group.Write(new SendMessage(agent, from, "one", 10)).Single().Answers[0]);
        Assert.IsType<MessageSent>(group.Write(new SendMessage(agent, from, "two", 10)).Single().Answers[0]);
        Assert.True(group.WasAhead);

        Assert.Equal(new MailAcknowledged(2), group.Write(new AcknowledgeMail("a1", reader, 2)).Single().Answers[0]);
        Assert.False(group.WasAhead);
        Assert.IsType<TaskFinished>(group.Write(new FinishTask(agent, TaskState.Completed)).Single().Answers[0]);
        Assert.Equal(1, await group.CountAsync("mail"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public async Task Claims_of_many_tasks_take_hardly_more_exchanges_than_that_of_one(int threads)
    {
        await using var group = await GroupFixture.CreateAsync();
        var work = new NewWork { Kind = "k", Input = JsonElement.Parse("null") };
        group.Write([.. Enumerable.Range(0, 100).Select(i => Task($"t{i % threads}") with { Work = work })]);
        var claim = new ClaimWork([new KindClaim("k")], 1);

        Assert.Single(Claimed(group.Write(claim)));
        var one = group.Exchanges;
        var many = Claimed(group.Write(claim with { Limit = 60 }));

        Assert.Equal(60, many.Select(static task => task.Task.TaskId).Distinct().Count());
        Assert.All(many, static task => Assert.Equal((TaskState.Running, 1), (task.Task.State, task.Task.Work!.Attempt)));
        Assert.InRange(group.Exchanges, 0, one + 45);
        Assert.Equal(61, await group.CountAsync("work WHERE claim > 0 AND rank IS NULL AND attempt = 1"));
    }

    [Fact]
    public async Task A_spawn_of_work_and_its_end_take_few_exchanges()
    {
        await using var group = await GroupFixture.CreateAsync();
        var task = Task("t1") with { Work = new NewWork { Kind = "k", Input = JsonElement.Parse("null"), IdempotencyKey = "first" } };
        group.Add(task);
        group.Add(task with { Work = task.Work with { IdempotencyKey = "second" } });
        Assert.InRange(group.Exchanges, 1, 10);

        var claimed = Claimed(group.Write(new ClaimWork([new KindClaim("k")], 1))).Single();
        var ended = group.Write(new FinishTask(claimed.Task.TaskId, TaskState.Completed) { Claim = claimed.Claim }).Single();

        Assert.IsType<TaskFinished>(ended.Answers[0]);
        Assert.InRange(group.Exchanges, 1, 10);
        Assert.Equal(1, await group.CountAsync("lanes WHERE ready = 1 AND running = 0"));
    }

    [Fact]
    public async Task What_watchers_are_told_of_tasks_without_work_takes_no_exchange_more()
    {
        await using var group = await GroupFixture.CreateAsync(new RecordingListener { WantsChanges = true });
        group.Ahead = true;
        group.Write(new FinishTask(group.Add(Task("t1")), TaskState.Completed));

        var id = group.Add(Task("t1") with { Description = "what it is for" });
        Assert.Equal(1, group.Exchanges);
        Assert.Equal((TaskChangeKind.Spawned, TaskState.Running, "what it is for"), Told());
        group.Write(new MoveTask(id, TaskState.InputRequired), new MoveTask(id, TaskState.Running));
        Assert.Equal(1, group.Exchanges);
        Assert.Equal((TaskChangeKind.Moved, TaskState.Running, "what it is for"), Told());
        group.Write(new FinishTask(id, TaskState.Completed));
        Assert.Equal(1, group.Exchanges);
        Assert.Equal((TaskChangeKind.Ended, TaskState.Completed, "what it is for"), Told());

        (TaskChangeKind, TaskState?, string?) Told() =>
            group.Told.Last(static entry => entry.Notice is null) is var told ? (told.Kind, told.Task?.State, told.Task?.Description) : default;
    }

    private static IReadOnlyList<ClaimedWork> Claimed(WrittenBatch[] written) => ((WorkClaimed)written.Single().Answers[0]).Tasks;

    private static AddTask Task(string thread) => new() { OwnerThreadId = thread, Type = "t" };
}
