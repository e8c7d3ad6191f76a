namespace Coppice.StoreContract;

/// <summary>A batch lands whole or not at all, and is answered mutation by mutation.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class BatchesContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    public static TheoryData<string> Refusals() =>
        ["duplicate name", "cancelled parent", "too deep", "unknown task moves", "unknown task ends", "refused move", "refused end", "events of an ended task", "message refused", "acknowledgement refused", "inbox of an ended agent"];

    [Fact]
    public async Task All_mutations_of_a_batch_land_together_and_each_is_answered()
    {
        var host = await JoinAsync();
        var first = await host.AddAsync();
        var second = await host.AddAsync();

        var result = await host.CommitAsync(
            StoreHost.Finish(first),
            new MoveTask(second, TaskState.InputRequired),
            new PostMessage("t2", Mailbag.Message("hello")),
            StoreHost.Task("t3"));

        Assert.Equal(CommitStatus.Landed, result.Status);
        Assert.Collection(
            result.Answers,
            static answer => Assert.IsType<TaskFinished>(answer),
            static answer => Assert.IsType<TaskMoved>(answer),
            static answer => Assert.Equal(new MailPosted(1), answer),
            static answer => Assert.IsType<TaskAdded>(answer));
        Assert.Equal(TaskState.Completed, (await Store.GetAsync(first, Stop))!.State);
        Assert.Equal(TaskState.InputRequired, (await Store.GetAsync(second, Stop))!.State);
        Assert.Single(await Store.ReadAllAsync(host, "t2"));
        Assert.True(await Store.HasLiveAsync("t3", Stop));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Nothing_of_a_batch_lands_when_its_last_mutation_is_refused(string refusal) =>
        await Assert_nothing_lands(refusal, refusedFirst: false);

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Nothing_of_a_batch_lands_when_its_first_mutation_is_refused(string refusal) =>
        await Assert_nothing_lands(refusal, refusedFirst: true);

    [Fact]
    public async Task Several_refused_mutations_each_say_why()
    {
        var host = await JoinAsync();
        await host.AddAsync(name: "worker");

        var result = await host.CommitAsync(
            StoreHost.Task(name: "worker"), StoreHost.Task(name: "other"), new MoveTask("bg_99", TaskState.Pending));

        Assert.Equal(CommitStatus.Refused, result.Status);
        Assert.Equal(new AddRefused(SpawnError.DuplicateName), result.Answers[0]);
        Assert.Same(NotApplied.Instance, result.Answers[1]);
        Assert.Equal(new MoveRefused(null), result.Answers[2]);
    }

    [Fact]
    public async Task Mutations_of_a_batch_that_are_after_the_same_thing_refuse_it()
    {
        var host = await JoinAsync();
        var live = await host.AddAsync();

        var twoOfAName = await host.CommitAsync(StoreHost.Task(name: "worker"), StoreHost.Task(name: "worker"));
        var twoEnds = await host.CommitAsync(StoreHost.Finish(live), StoreHost.Finish(live));
        var endAndMove = await host.CommitAsync(StoreHost.Finish(live), new MoveTask(live, TaskState.InputRequired));
        var elsewhere = await host.CommitAsync(StoreHost.Task("t8", name: "worker"), StoreHost.Task("t9", name: "worker"));

        Assert.All([twoOfAName, twoEnds, endAndMove], static result => Assert.Equal(CommitStatus.Refused, result.Status));
        Assert.Contains(new AddRefused(SpawnError.DuplicateName), twoOfAName.Answers);
        Assert.Single(twoEnds.Answers.OfType<MoveRefused>());
        Assert.Single(endAndMove.Answers.OfType<MoveRefused>());
        Assert.Equal(CommitStatus.Landed, elsewhere.Status);
        Assert.Equal(TaskState.Running, (await Store.GetAsync(live, Stop))!.State);
        Assert.Empty(await Store.ListAsync(new TaskQuery { OwnerThreadId = "t1", Name = "worker" }, null, 10, Stop));
    }

    [Fact]
    public void A_batch_of_nothing_is_refused_before_it_is_handed_in() =>
        Assert.Throws<ArgumentException>(() => new MutationBatch(new BatchId(1, 1), HostFence.None, DateTimeOffset.UnixEpoch, []));

    [Fact]
    public async Task A_refused_batch_takes_no_id()
    {
        Assert.SkipWhen(Fixture.IdsMayHaveGaps, "Ids may have gaps on this store.");
        var host = await JoinAsync();
        await host.AddAsync(name: "worker");
        await host.CommitAsync(StoreHost.Task(), StoreHost.Task(name: "worker"));

        Assert.Equal("bg_1", await host.AddAsync());
    }

    [Fact]
    public async Task Revisions_grow_from_commit_to_commit()
    {
        var host = await JoinAsync();
        var last = 0L;
        for (var i = 0; i < 20; i++)
        {
            var result = await host.CommitAsync(StoreHost.Task($"t{i % 3}"));
            Assert.True(result.Revision > last, $"Revision {result.Revision} came after {last}.");
            last = result.Revision;
        }
    }

    [Fact]
    public async Task Concurrent_commits_have_revisions_of_their_own()
    {
        var host = await JoinAsync();

        var results = await Enumerable.Range(0, 200)
            .Select(i => Task.Run(() => host.CommitAsync(StoreHost.Task($"t{i % 7}")), Stop))
            .AllWithin();

        Assert.All(results, static result => Assert.Equal(CommitStatus.Landed, result.Status));
        Assert.Equal(200, results.Select(static result => ((TaskAdded)result.Answers[0]).TaskId).Distinct().Count());
        Assert.All(results, static result => Assert.True(result.Revision > 0));
        Assert.All(results, static result => Assert.InRange(result.GroupSize, 1, 200));
    }

    [Fact]
    public async Task A_batch_is_found_by_its_id_when_it_landed()
    {
        var host = await JoinAsync();
        var batch = host.Batch(StoreHost.Task(), new PostMessage("t2", Mailbag.Message("hello")));
        var answered = await Store.CommitAsync(batch, Stop).Within();

        var found = await Store.FindCommitAsync(batch, Stop).Within();

        Assert.NotNull(found);
        Assert.Equal(CommitStatus.Landed, found.Status);
        Assert.Equal(answered.Revision, found.Revision);
        Assert.Equal(answered.Answers, found.Answers);
    }

    [Fact]
    public async Task A_batch_that_never_landed_is_not_found()
    {
        var host = await JoinAsync();
        await host.AddAsync(name: "worker");
        var refused = host.Batch(StoreHost.Task(name: "worker"));
        await Store.CommitAsync(refused, Stop).Within();

        Assert.Null(await Store.FindCommitAsync(refused, Stop).Within());
        Assert.Null(await Store.FindCommitAsync(host.Batch(StoreHost.Task()), Stop).Within());
        Assert.Single(await Store.ListAsync(new TaskQuery(), null, 10, Stop));
    }

    [Fact]
    public async Task A_landed_batch_is_marked_once_before_its_answer_is_out()
    {
        var host = await JoinAsync();
        var marks = new List<CommitResult>();
        var batch = host.Batch(marks.Add, StoreHost.Task());

        var result = await Store.CommitAsync(batch, Stop).Within();

        var mark = Assert.Single(marks);
        Assert.Equal(result.Revision, mark.Revision);
        Assert.Equal(result.Answers, mark.Answers);
        Assert.Same(mark, batch.Result);
    }

    [Fact]
    public async Task A_refused_or_fenced_batch_is_not_marked()
    {
        var host = await JoinAsync();
        await host.AddAsync(name: "worker");
        var refused = host.Batch(static _ => Assert.Fail("A refused batch was marked."), StoreHost.Task(name: "worker"));
        await Store.CommitAsync(refused, Stop).Within();
        await host.AnswerAsync(new LeaveHost());
        var fenced = host.Batch(static _ => Assert.Fail("A fenced batch was marked."), StoreHost.Task());
        await Store.CommitAsync(fenced, Stop).Within();

        Assert.Null(refused.Result);
        Assert.Null(fenced.Result);
    }

    [Fact]
    public async Task A_task_is_marked_before_a_cancel_can_reach_it()
    {
        var host = await JoinAsync();
        var marked = 0;
        var added = Task.Run(async () =>
        {
            for (var i = 0; i < 200; i++)
            {
                await Store.CommitAsync(host.Batch(result => Interlocked.Increment(ref marked), StoreHost.Task()), Stop).Within();
            }
        }, Stop);
        var canceller = await JoinAsync("canceller");
        while (!added.IsCompleted)
        {
            var reached = Assert.IsType<CancelReached>(await canceller.AnswerAsync(new RequestCancel(CancelScope.Thread, "t1")));
            Assert.True(reached.TaskIds.Count <= Volatile.Read(ref marked), "A cancel reached a task that was not marked yet.");
        }

        await added.Within();
    }

    [Fact]
    public async Task The_time_of_what_lands_is_the_batchs_to_the_millisecond()
    {
        var host = await JoinAsync();
        host.Now = new DateTimeOffset(2026, 3, 1, 14, 0, 0, TimeSpan.FromHours(2)).AddTicks(12_345);
        var milliseconds = new DateTimeOffset(2026, 3, 1, 12, 0, 0, 1, TimeSpan.Zero);
        var id = await host.AddAsync();

        var added = await Store.GetAsync(id, Stop);
        Assert.Equal(milliseconds, added!.CreatedAt);
        Assert.Equal(TimeSpan.Zero, added.CreatedAt.Offset);

        host.Now += TimeSpan.FromMilliseconds(1);
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, id));
        host.Now += TimeSpan.FromMilliseconds(1);
        await host.FinishAsync(id);

        var ended = await Store.GetAsync(id, Stop);
        Assert.Equal(milliseconds.AddMilliseconds(1), ended!.CancelRequestedAt);
        Assert.Equal(milliseconds.AddMilliseconds(2), ended.CompletedAt);
    }

    [Fact]
    public async Task A_token_that_is_already_cancelled_gives_the_batch_up()
    {
        var host = await JoinAsync();
        var batch = host.Batch(static _ => Assert.Fail("A batch that was given up has landed."), StoreHost.Task(name: "worker"));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Store.CommitAsync(batch, new CancellationToken(canceled: true)).Within());

        Assert.Null(batch.Result);
        Assert.Null(await Store.FindCommitAsync(batch, Stop).Within());
        Assert.Empty(await Store.ListAsync(new TaskQuery(), null, 10, Stop));
        await host.AddAsync(name: "worker");
    }

    [Fact]
    public async Task A_token_that_is_cancelled_meanwhile_gives_the_batch_up_whole_or_not_at_all()
    {
        var host = await JoinAsync();
        var landed = 0;
        for (var round = 0; round < 100; round++)
        {
            using var source = new CancellationTokenSource();
            var batch = host.Batch(StoreHost.Task(), new PostMessage("t2", Mailbag.Message("hello")));
            var commit = Task.Run(async () => await Store.CommitAsync(batch, source.Token), Stop);
            var cancel = Task.Run(source.Cancel, Stop);
            await cancel.Within();
            try
            {
                await commit.Within();
                landed++;
                Assert.NotNull(batch.Result);
            }
            catch (OperationCanceledException)
            {
                Assert.Null(await Store.FindCommitAsync(batch, Stop).Within());
            }
        }

        Assert.Equal(landed, (await Store.ListAsync(new TaskQuery(), null, 1_000, Stop)).Count);
        Assert.Equal(landed, (await Store.ReadAllAsync(host, "t2")).Count);
    }

    [Fact]
    public async Task A_disposed_store_answers_every_call_with_ObjectDisposedException()
    {
        var host = await JoinAsync();
        await using var store = await Fixture.CreateAsync();
        var stranger = await StoreHost.JoinAsync(store);
        var batch = stranger.Batch(StoreHost.Task());
        await store.DisposeAsync();
        await store.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.CommitAsync(batch, Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.FindCommitAsync(batch, Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.GetAsync("bg_0", Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.ListAsync(new TaskQuery(), null, 1, Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.HasLiveAsync("t1", Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.FindLiveChildAsync(TaskLineage.None, "x", Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.ReadMailAsync("t1", Guid.NewGuid(), 0, 1, Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.CountUnreadEventsAsync("t1", Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.ListThreadsWithUnreadMailAsync(Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.ListDeadLettersAsync("t1", Stop).Within());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => store.HeartbeatAsync(stranger.Fence, Stop).Within());
        Assert.Throws<ObjectDisposedException>(() => store.Subscribe(new RecordingListener()));
        await host.AddAsync();
    }

    private async Task Assert_nothing_lands(string refusal, bool refusedFirst)
    {
        var host = await JoinAsync();
        var ended = await host.AddAsync();
        await host.FinishAsync(ended);
        var deep = await host.AddAsync(name: "worker");
        var cancelled = await host.AddAsync();
        var live = await host.AddAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, cancelled));
        var agent = await host.AddAgentAsync("t1", "agent-thread", Guid.NewGuid());
        await host.FinishAsync(agent);
        var (refused, expected) = Refused(refusal, ended, deep, cancelled);
        var before = await Store.ListAsync(new TaskQuery(), null, 100, Stop);
        var mailBefore = await Store.ReadAllAsync(host, "t1");
        Mutation[] good =
        [
            StoreHost.Finish(live), StoreHost.Task("t4"), new PostMessage("t2", Mailbag.Message("hello")),
            new RequestCancel(CancelScope.Task, deep), new OpenMailbox("t3", Guid.NewGuid()),
        ];

        var result = await host.CommitAsync(refusedFirst ? [refused, .. good] : [.. good, refused]);

        Assert.Equal(CommitStatus.Refused, result.Status);
        Assert.Equal(0, result.Revision);
        var others = refusedFirst ? result.Answers.Skip(1) : result.Answers.SkipLast(1);
        Assert.Equal(expected, refusedFirst ? result.Answers[0] : result.Answers[^1]);
        Assert.All(others, static answer => Assert.IsType<NotApplied>(answer));
        Assert.Equal(before, await Store.ListAsync(new TaskQuery(), null, 100, Stop));
        Assert.Equal(mailBefore, await Store.ReadAllAsync(host, "t1"));
        Assert.Empty(await Store.ReadAllAsync(host, "t2"));
        Assert.False(await Store.HasLiveAsync("t4", Stop));
    }

    private static (Mutation Refused, MutationAnswer Answer) Refused(string refusal, string ended, string live, string cancelled) =>
        refusal switch
        {
            "duplicate name" => (StoreHost.Task(name: "worker"), new AddRefused(SpawnError.DuplicateName)),
            "cancelled parent" => (StoreHost.Task(parent: cancelled), new AddRefused(SpawnError.ParentCancelled)),
            "too deep" => (StoreHost.Task(parent: live) with { MaxDepth = 1 }, new AddRefused(SpawnError.TooDeep)),
            "unknown task moves" => (new MoveTask("bg_99", TaskState.Pending), new MoveRefused(null)),
            "unknown task ends" => (StoreHost.Finish("bg_99"), new MoveRefused(null)),
            "refused move" => (new MoveTask(live, TaskState.Running), new MoveRefused(TaskState.Running)),
            "refused end" => (StoreHost.Finish(ended), new MoveRefused(TaskState.Completed)),
            "events of an ended task" => (new PostEvents(ended, 0, [Mailbag.Progress(ended, 0)]), new MoveRefused(TaskState.Completed)),
            "message refused" =>
                (new SendMessage(live, new MessageSender("t1", "a"), "x", 10), new SendRefused(new SendReceipt(SendResult.NoInbox, null))),
            "acknowledgement refused" => (new AcknowledgeMail("t1", Guid.NewGuid(), 1), ReaderRefused.Instance),
            "inbox of an ended agent" => (new CloseAgentInbox(ended), new MoveRefused(TaskState.Completed)),
            _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "There is no such refusal."),
        };
}
