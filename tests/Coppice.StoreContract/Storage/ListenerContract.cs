namespace Coppice.StoreContract;

/// <summary>The change feed: what a listener hears of what is committed, and in which order.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ListenerContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_listener_hears_the_life_of_a_task_in_order()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        var id = await host.AddAsync(state: TaskState.Pending);
        await host.AnswerAsync(new MoveTask(id, TaskState.Running));
        await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 2)));
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, id));
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, id));
        await host.AnswerAsync(new FinishTask(id, TaskState.Cancelled) { FirstEvent = 2, Events = [Mailbag.Progress(id, 2)] });
        await listener.UntilAsync("Ended", id);

        var changes = listener.Changes();
        Assert.Equal(
            [TaskChangeKind.Spawned, TaskChangeKind.Moved, TaskChangeKind.Emitted, TaskChangeKind.Emitted, TaskChangeKind.CancelRequested, TaskChangeKind.Emitted, TaskChangeKind.Ended],
            changes.Select(static change => change.Kind));
        Assert.Equal([0, 1, 2], changes.Where(static change => change.Event is not null).Select(static change => Mailbag.Number(change.Event!)));
        Assert.Equal(TaskState.Pending, changes[0].Task.State);
        Assert.Equal(TaskState.Running, changes[1].Task.State);
        Assert.Equal("user", changes[4].Task.CancelledBy);
        Assert.Equal(await Store.GetAsync(id, Stop), changes[^1].Task);
        var revisions = changes.Select(static change => change.Revision).ToList();
        Assert.Equal(revisions.Order(), revisions);
    }

    [Fact]
    public async Task A_cancel_request_that_comes_with_the_end_is_told_before_it()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        var id = await host.AddAsync();

        await host.AnswerAsync(new FinishTask(id, TaskState.Cancelled) { CancelledBy = "tree:bg_9" });
        await listener.UntilAsync("Ended", id);

        var changes = listener.Changes();
        Assert.Equal([TaskChangeKind.Spawned, TaskChangeKind.CancelRequested, TaskChangeKind.Ended], changes.Select(static change => change.Kind));
        Assert.Equal("tree:bg_9", changes[1].Task.CancelledBy);
    }

    [Fact]
    public async Task The_owner_of_a_task_is_told_of_the_first_cancel_request_and_only_of_that()
    {
        var owner = await JoinAsync("owner");
        var other = await JoinAsync("other");
        var id = await owner.AddAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await other.AnswerAsync(new RequestCancel(CancelScope.Tree, id));
        await other.AnswerAsync(new RequestCancel(CancelScope.Task, id));
        await owner.FinishAsync(id);
        await listener.UntilAsync("Ended", id);

        var request = Assert.Single(listener.Snapshot(), static heard => heard.What == "CancelRequested");
        Assert.Equal((id, (object)owner.Fence.Epoch), (request.Subject, request.Detail));
    }

    [Fact]
    public async Task Mail_is_told_with_whether_it_wakes_and_whether_somebody_reads()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await host.AnswerAsync(new PostEvents(id, 0, [Mailbag.Progress(id, 0)]));
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        await host.OpenAsync("t1");
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        await host.FinishAsync(id);
        await listener.UntilAsync("Ended", id);
        await listener.UntilAsync(_ => listener.Snapshot().Count(static heard => heard.What == "Mail") == 4);

        Assert.Equal(
            [(false, false), (true, false), (true, true), (true, true)],
            listener.Snapshot().Where(static heard => heard is { What: "Mail", Subject: "t1" }).Select(static heard => ((bool, bool))heard.Detail!));
    }

    [Fact]
    public async Task Opening_and_closing_a_mailbox_is_told()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);
        var first = await host.OpenAsync("t1");
        var second = await host.OpenAsync("t1");
        await host.AnswerAsync(new PostMessage("t1", Mailbag.Message("hello")));
        await host.AnswerAsync(new CloseMailbox("t1", first));
        var quiet = await host.OpenAsync("t2");
        await host.AnswerAsync(new CloseMailbox("t2", quiet));
        Assert.DoesNotContain(listener.Snapshot(), static heard => heard.What == "MailLeftUnread");

        await host.AnswerAsync(new CloseMailbox("t1", second));
        await listener.UntilAsync("MailLeftUnread", "t1");

        Assert.Equal(
            [(first, null), (second, first)],
            listener.Snapshot().Where(static heard => heard is { What: "MailboxOpened", Subject: "t1" }).Select(static heard => ((Guid, Guid?))heard.Detail!));
        Assert.DoesNotContain(listener.Snapshot(), static heard => heard is { What: "MailLeftUnread", Subject: "t2" });
    }

    [Fact]
    public async Task A_host_that_is_given_up_or_leaves_is_told_with_its_tasks_and_mail()
    {
        var gone = await JoinAsync("gone");
        var leaver = await JoinAsync("leaver");
        var other = await JoinAsync("other");
        var id = await gone.AddAsync();
        await gone.OpenAsync("t2");
        await leaver.OpenAsync("t3");
        await other.AnswerAsync(new PostMessage("t2", Mailbag.Message("hello")));
        await other.AnswerAsync(new PostMessage("t3", Mailbag.Message("hello")));
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await other.AnswerAsync(new SettleHost(gone.Fence));
        await leaver.AnswerAsync(new LeaveHost());

        Assert.Equal(gone.Fence, (await listener.UntilAsync("HostFenced", "gone")).Detail);
        Assert.Equal(leaver.Fence, (await listener.UntilAsync("HostFenced", "leaver")).Detail);
        await listener.UntilAsync("Ended", id);
        await listener.UntilAsync("MailLeftUnread", "t2");
        await listener.UntilAsync("MailLeftUnread", "t3");
        Assert.Contains(listener.Changes(), change => change.Kind == TaskChangeKind.Ended && change.Task.TaskId == id);
    }

    [Fact]
    public async Task Restored_tasks_are_told()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await host.AnswerAsync(new RestoreTasks("t1", [new TaskSnapshot { TaskId = "bg_5", State = TaskState.Completed, CreatedAt = host.Now, CompletedAt = host.Now }]));

        var heard = await listener.UntilAsync("Change", "bg_5");
        Assert.Equal(TaskChangeKind.Restored, ((TaskChange)heard.Detail!).Kind);
    }

    [Fact]
    public async Task A_batch_is_marked_before_any_listener_hears_of_it()
    {
        var host = await JoinAsync();
        var marked = new HashSet<string>();
        var early = 0;
        var listener = new RecordingListener
        {
            OnHeard = heard =>
            {
                lock (marked)
                {
                    early += heard.What == "Change" && !marked.Contains(heard.Subject) ? 1 : 0;
                }
            },
        };
        using var subscription = Store.Subscribe(listener);

        await Enumerable.Range(0, 100).Select(i => Task.Run(async () => await Store.CommitAsync(
            host.Batch(
                result =>
                {
                    lock (marked)
                    {
                        Assert.True(marked.Add(((TaskAdded)result.Answers[0]).TaskId), "A batch was marked twice.");
                    }
                },
                StoreHost.Task($"t{i % 5}")),
            Stop), Stop)).AllWithin();
        await listener.UntilAsync(_ => listener.Snapshot().Count(static heard => heard.What == "Change") == 100);

        Assert.Equal(0, early);
        Assert.Equal(100, marked.Count);
    }

    [Fact]
    public async Task Changes_come_in_the_order_of_revisions_and_each_once_under_contention()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        var lives = await Enumerable.Range(0, 60).Select(i => Task.Run(async () =>
        {
            var id = await host.AddAsync($"t{i % 4}");
            await host.AnswerAsync(new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 2)));
            await host.FinishAsync(id);
            return id;
        }, Stop)).AllWithin();
        await listener.UntilAsync(_ => listener.Snapshot().Count(static heard => heard.What == "Ended") == 60);

        var changes = listener.Changes();
        Assert.Equal(240, changes.Count);
        Assert.Equal(changes.Select(static change => change.Revision).Order(), changes.Select(static change => change.Revision));
        foreach (var id in lives)
        {
            Assert.Equal(
                [TaskChangeKind.Spawned, TaskChangeKind.Emitted, TaskChangeKind.Emitted, TaskChangeKind.Ended],
                changes.Where(change => change.Task.TaskId == id).Select(static change => change.Kind));
        }
    }

    [Fact]
    public async Task Refused_given_up_and_skipped_things_are_not_told()
    {
        var host = await JoinAsync();
        var id = await host.AddAsync(name: "worker");
        await host.AnswerAsync(new PostEvents(id, 0, [Mailbag.Progress(id, 0)]));
        var listener = new RecordingListener();
        using var subscription = Store.Subscribe(listener);

        await host.CommitAsync(StoreHost.Task("t2"), StoreHost.Task(name: "worker"), new PostMessage("t3", Mailbag.Message("x")));
        await host.AnswerAsync(new PostEvents(id, 0, [Mailbag.Progress(id, 0)]));
        await host.AnswerAsync(new RequestCancel(CancelScope.Task, "bg_99"));
        await host.FinishAsync(id);
        await listener.UntilAsync("Ended", id);

        Assert.Equal([TaskChangeKind.Ended], listener.Changes().Select(static change => change.Kind));
        Assert.DoesNotContain(listener.Snapshot(), static heard => heard.Subject is "t2" or "t3");
    }

    [Fact]
    public async Task A_listener_that_wants_no_changes_gets_none_and_hears_the_rest()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener { WantsChanges = false };
        using var subscription = Store.Subscribe(listener);

        var id = await host.AddAsync();
        await host.FinishAsync(id);
        await listener.UntilAsync("Ended", id);

        Assert.Empty(listener.Changes());
    }

    [Fact]
    public async Task A_listener_that_begins_to_want_changes_before_a_spawn_is_marked_hears_of_it()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener { WantsChanges = false };
        using var subscription = Store.Subscribe(listener);

        var result = await Store.CommitAsync(host.Batch(_ => listener.WantsChanges = true, StoreHost.Task()), Stop).Within();

        var change = (TaskChange)(await listener.UntilAsync("Change", "bg_0")).Detail!;
        Assert.Equal((TaskChangeKind.Spawned, TaskState.Running), (change.Kind, change.Task.State));
        Assert.True(change.Revision >= result.Revision, $"The change has revision {change.Revision}, its commit {result.Revision}.");
    }

    [Fact]
    public async Task A_listener_that_comes_before_a_spawn_is_marked_hears_of_it()
    {
        var host = await JoinAsync();
        var listener = new RecordingListener();
        IDisposable? subscription = null;

        await Store.CommitAsync(host.Batch(_ => subscription = Store.Subscribe(listener), StoreHost.Task()), Stop).Within();

        using var subscribed = subscription;
        await listener.UntilAsync("Change", "bg_0");
    }

    [Fact]
    public async Task A_listener_that_was_disposed_hears_nothing_more_and_others_do()
    {
        var host = await JoinAsync();
        var leaving = new RecordingListener();
        var staying = new RecordingListener();
        var subscription = Store.Subscribe(leaving);
        using var other = Store.Subscribe(staying);
        var first = await host.AddAsync();
        await leaving.UntilAsync("Change", first);
        subscription.Dispose();
        subscription.Dispose();

        var second = await host.AddAsync();
        await staying.UntilAsync("Change", second);

        Assert.DoesNotContain(leaving.Snapshot(), heard => heard.Subject == second);
    }
}
