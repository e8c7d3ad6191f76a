namespace Coppice.Testing.Tests;

/// <summary>A law that nothing can break says nothing: each is broken here on purpose, and found out with a short history.</summary>
public sealed class LawsCanFailTests
{
    private const int LongestHistory = 45;

    [Fact]
    public Task A_spawn_that_is_acknowledged_and_not_stored() =>
        BreaksAsync("Law 1: what was acknowledged is stored", () => new ForgetfulStore(), Plain);

    [Fact]
    public Task A_body_that_starts_twice() =>
        BreaksAsync("Law 1: a body starts after its commit, on its host, and once", null, Plain, new BrokenScheduler(starts: 2));

    [Fact]
    public Task A_body_that_never_starts() =>
        BreaksAsync("Liveness: no task is live without a body", null, Plain, new BrokenScheduler(starts: 0));

    [Fact]
    public Task A_task_that_has_ended_and_runs_again() =>
        BreaksAsync("Law 2: a task ends once, and how it ended never changes", () => new UnendingStore(), Plain);

    [Fact]
    public Task An_end_that_is_stored_as_another() => BreaksAsync("Law 3: what the body said is what is stored", () => new WilfulStore(), Plain);

    [Fact]
    public Task A_name_that_two_live_tasks_have() =>
        BreaksAsync("Law 4: among a thread's live tasks a name is unique", () => new NamelessStore(), async (world, host) =>
        {
            await host.Manager.SpawnAsync("t", Parked, new SpawnOptions { Name = "x" });
            await host.Manager.SpawnAsync("t", Parked, new SpawnOptions { Name = "x" });
        });

    [Fact]
    public Task An_id_that_is_left_out() =>
        BreaksAsync("Law 5: ids count up from 0, without gaps, and are never used again", () => new SkippingStore(), Plain);

    [Fact]
    public Task A_parent_that_is_forgotten() =>
        BreaksAsync("Law 6: a task knows what it was spawned from", () => new RootlessStore(tellsTheTruth: true), Family);

    [Fact]
    public Task A_child_under_a_cancelled_parent() =>
        BreaksAsync("Law 7: no child lands under a task with a cancel request", () => new RootlessStore(tellsTheTruth: false), async (world, host) =>
        {
            var parent = await host.Manager.SpawnAsync("t", Parked);
            await host.Manager.CancelAsync(parent);
            await host.Manager.SpawnAsync("t", Parked, new SpawnOptions { Lineage = new TaskLineage { TaskId = parent } });
        });

    [Fact]
    public Task A_descendant_that_a_cancel_misses() =>
        BreaksAsync("Law 7: a cancel reaches every live task that it covers, and no other", () => new RootlessStore(tellsTheTruth: false), Family);

    [Fact]
    public Task A_cancel_that_no_body_hears_of() => BreaksAsync("Law 7: a cancel request reaches the body", () => new SilentStore(), Family);

    [Fact]
    public Task A_terminal_event_that_is_dropped() =>
        BreaksAsync("Law 8: every ended task has exactly one terminal event", Mail(static items => items.Where(static item => item.Event is not TaskCompleted)), Plain);

    [Fact]
    public Task A_second_terminal_event() =>
        BreaksAsync(
            "Law 8: every ended task has exactly one terminal event",
            Mail(static items => items.Count == 0 ? items : [.. items, items[^1] with { Sequence = items[^1].Sequence + 1 }]),
            Plain);

    [Fact]
    public Task Events_that_change_places() =>
        BreaksAsync(
            "Law 8: a task's events come in order, without a gap, before its terminal event",
            Mail(static items => items.Count < 2 ? items : [items[0] with { Event = items[1].Event }, items[1] with { Event = items[0].Event }, .. items.Skip(2)]),
            Emitting);

    [Fact]
    public Task A_sequence_with_a_gap() =>
        BreaksAsync("Law 8: a thread's mail counts from 1 without gaps", Mail(static items => items.Select(static item => item with { Sequence = item.Sequence + 1 })), Plain);

    [Fact]
    public Task Mail_that_comes_out_of_order() =>
        BreaksAsync("Law 8: mail is read in order, and its place and content never change", Mail(static items => items.Reverse()), Emitting);

    [Fact]
    public Task Mail_that_reaches_another_thread() =>
        BreaksAsync("Law 8: a thread's mail never reaches another thread", () => new MailStore(ThisAndBefore()), async (world, host) =>
        {
            await host.Manager.WaitAsync(await host.Manager.SpawnAsync("a", Ends));
            await host.Manager.WaitAsync(await host.Manager.SpawnAsync("b", Ends));
            await using var inbox = await host.Manager.OpenInboxAsync("b");
            await inbox.DrainAsync();
        });

    [Fact]
    public Task Mail_that_comes_only_once() =>
        BreaksAsync("Law 8: mail that was not acknowledged comes again", () => new MailStore(OnlyOnce()), async (world, host) =>
        {
            await host.Manager.WaitAsync(await host.Manager.SpawnAsync("t", Ends));
            await using var inbox = await host.Manager.OpenInboxAsync("t");
            await inbox.DrainAsync();
        });

    [Fact]
    public Task Input_that_changes_on_its_way() =>
        BreaksAsync(
            "Law 8: delivered input is in the thread's mailbox, once",
            Mail(static items => items.Select(static item => item.Event is LiveInput ? item with { Event = new LiveInput(JsonValue.Parse("[]")) } : item)),
            static async (world, host) =>
            {
                await host.Manager.PostInputAsync("t", JsonValue.Parse("""[{"role":"user","content":"wait"}]"""));
                await world.DelayAsync(TimeSpan.FromSeconds(1));
            });

    [Fact]
    public Task A_conversation_that_loses_its_beginning() =>
        BreaksAsync(
            "Law 8: a conversation holds what was appended, once and in order",
            () => new ConversingStore { Shown = static page => page with { Entries = [.. page.Entries.Skip(1)] } }, Conversing);

    [Fact]
    public Task An_append_that_acknowledges_nothing() =>
        BreaksAsync(
            "Law 8: mail that was acknowledged with a conversation does not come again",
            () => new ConversingStore { Written = static append => append with { AcknowledgeThrough = 0 } }, Conversing);

    [Fact]
    public Task A_conversation_that_anybody_writes() =>
        BreaksAsync("Law 8: a conversation is written by the reader that has the mailbox", () => new ConversingStore { LetsAnybodyWrite = true }, async (world, host) =>
        {
            var other = await world.StartHostAsync("other");
            var inbox = await host.Manager.OpenInboxAsync("t");
            await other.Manager.OpenInboxAsync("t");
            var fence = host.Manager.Core.Fence;
            await host.Store.CommitAsync(
                new MutationBatch(new BatchId(fence.Epoch, 1_000_000), fence, default, new AppendConversation("t", inbox.Reader, 0, [JsonValue.Parse("0")]), observer: null), default);
        });

    [Fact]
    public Task Unread_mail_that_nobody_is_told_of() => BreaksAsync("Law 8: unread mail is told of", () => new QuietStore(), Plain);

    [Fact]
    public Task A_task_that_is_orphaned_while_its_host_lives() =>
        BreaksAsync("Law 9: a task is orphaned when its host is gone, and only then", () => new HastyStore(), Plain);

    [Fact]
    public Task A_host_that_was_given_up_and_writes() =>
        BreaksAsync("Law 9: a host that was given up stores nothing", () => new ForgivingStore(), Overslept);

    [Fact]
    public Task Bodies_that_go_on_when_their_host_was_given_up() =>
        BreaksAsync("Law 9: the bodies of a host that was given up are signalled", () => new KindStore(), static async (world, host) =>
        {
            await world.StartHostAsync("other");
            await host.Manager.SpawnAsync("t", Parked);
            host.Pause();
            await world.DelayAsync(TimeSpan.FromMinutes(1));
            host.Resume();
        });

    [Fact]
    public Task A_restore_that_miscounts() =>
        BreaksAsync("Law 10: a restore skips what is known, and counts", () => new MiscountingStore(), async (world, host) =>
            await host.Manager.RestoreAsync("t", [new TaskSnapshot { TaskId = "old", State = TaskState.Completed }]));

    [Fact]
    public Task A_message_between_threads_that_is_posted_twice() =>
        BreaksAsync(
            "Law 11: an accepted message is in its mailbox once, is acknowledged, or has failed, and no two of them",
            () => new RepeatingStore(),
            static async (world, host) =>
            {
                for (var i = 0; i < 2; i++)
                {
                    await host.Manager.PostAsync("t", new MessageSender("s", "sender"), "hello", new PostOptions { MessageId = "m" });
                }
            });

    [Fact]
    public Task A_message_that_is_lost_in_the_outbox() =>
        BreaksAsync(
            "Law 11: a message in the outbox was sent, has failed, or waits there, and no two of them",
            static () => new MisdirectingStore(), Posting, transport: new TakingTransport());

    [Fact]
    public Task A_message_that_is_given_out_twice() =>
        BreaksAsync(
            "Law 11: of one sender and one recipient one message at a time is sent, by one host, in order",
            static () => new DoublingStore(), Posting, transport: new TakingTransport());

    [Fact]
    public Task A_message_that_changes_on_its_way() =>
        BreaksAsync(
            "Law 11: a delivered message is in the agent's mailbox or a dead letter, once",
            Mail(static items => items.Select(static item => item.Event is CustomTaskEvent { EventType: AgentMessage.EventType } message
                ? item with { Event = AgentMessage.Create(message.TaskId, "somebody", "something else") }
                : item)),
            async (world, host) =>
            {
                var agent = await host.Manager.SpawnAgentAsync("t", static async context =>
                {
                    await context.Inbox.ReadAsync(context.CancellationToken);
                    await context.Inbox.AckAsync(1);
                    return TaskOutcome.Success(1);
                });
                await host.Manager.SendAsync(agent, new MessageSender("t", "sender"), "hello");
            });

    [Fact]
    public Task An_end_that_is_not_stored() => BreaksAsync("Law 12: an end is stored as soon as the store lets it", () => new EndlessStore(), Plain);

    [Fact]
    public Task A_write_after_the_shutdown() =>
        BreaksAsync("Law 13: a shutdown ends everything, and nothing is stored after it", null, async (world, host) =>
        {
            var late = world.Run.Recorder.Entries.OfType<BatchApplied>().Last(static applied => applied.HasLanded);
            await host.ShutDownAsync();
            var other = await world.StartHostAsync("other");
            var fence = other.Manager.Core.Fence;
            await host.Store.CommitAsync(
                new MutationBatch(new BatchId(fence.Epoch, 1_000_000), fence, late.Batch.Time, new OpenMailbox("t", Guid.Empty), observer: null), default);
        });

    private static Func<StoreInFront> Mail(Func<IReadOnlyList<InboxItem>, IEnumerable<InboxItem>> show) => () => new MailStore((_, items) => show(items));

    private static Func<string, IReadOnlyList<InboxItem>, IEnumerable<InboxItem>> ThisAndBefore()
    {
        var first = new List<InboxItem>();
        return (threadId, items) =>
        {
            if (threadId == "b" && items.Count > 0)
            {
                return [.. items, new InboxItem(items[^1].Sequence + 1, new CustomTaskEvent("bg_0", "stray", items[^1].Event is TaskCompleted { Result: { } result } ? result : default))];
            }

            return items;
        };
    }

    private static Func<string, IReadOnlyList<InboxItem>, IEnumerable<InboxItem>> OnlyOnce()
    {
        var seen = new HashSet<(string, long)>();
        return (threadId, items) => items.Where(item => seen.Add((threadId, item.Sequence))).ToList();
    }

    private static async Task Conversing(SimulationWorld world, SimulatedHost host)
    {
        await host.Manager.WaitAsync(await host.Manager.SpawnAsync("t", Ends));
        await using var inbox = await host.Manager.OpenInboxAsync("t");
        var item = await inbox.ReadAsync();
        await inbox.AppendAsync(0, [JsonValue.Parse("0"), JsonValue.Parse("1")], item.Sequence);
    }

    private static async Task Posting(SimulationWorld world, SimulatedHost host)
    {
        await host.Manager.PostAsync("out", new MessageSender("s", "sender"), "hello");
        await world.DelayAsync(TimeSpan.FromSeconds(1));
    }

    private static async Task Plain(SimulationWorld world, SimulatedHost host)
    {
        await host.Manager.SpawnAsync("t", Ends);
        await world.DelayAsync(TimeSpan.FromSeconds(1));
    }

    private static async Task Emitting(SimulationWorld world, SimulatedHost host)
    {
        await host.Manager.SpawnAsync("t", static context =>
        {
            context.Emit("first", 1);
            context.Emit("second", 2);
            return Task.FromResult(TaskOutcome.Success(3));
        });
        await world.DelayAsync(TimeSpan.FromSeconds(1));
    }

    private static async Task Family(SimulationWorld world, SimulatedHost host)
    {
        var parent = await host.Manager.SpawnAsync("t", static async context =>
        {
            await context.Manager.SpawnAsync("t", Parked);
            return await Parked(context);
        });
        await world.DelayAsync(TimeSpan.FromSeconds(10));
        await host.Manager.CancelTreeAsync(parent);
    }

    private static async Task Overslept(SimulationWorld world, SimulatedHost host)
    {
        await world.StartHostAsync("other");
        await host.Manager.SpawnAsync("t", Parked);
        host.Pause();
        await world.DelayAsync(TimeSpan.FromMinutes(1));
        var late = host.RunAsync(static manager => manager.OpenInboxAsync("t").AsTask());
        host.Resume();
        await late;
    }

    private static Task<TaskOutcome> Ends(TaskContext context) => Task.FromResult(TaskOutcome.Success(1));

    private static async Task<TaskOutcome> Parked(TaskContext context)
    {
        await context.WhenCancelledAsync();
        return TaskOutcome.Cancelled;
    }

    private static async Task BreaksAsync(
        string law, Func<StoreInFront>? store, Func<SimulationWorld, SimulatedHost, Task> scenario, BrokenScheduler? scheduler = null,
        IMessageTransport? transport = null)
    {
        var failure = await Assert.ThrowsAsync<SimulationFailedException>(() => Simulation.ExploreAsync(
            async world =>
            {
                var host = await world.StartHostAsync("host", options =>
                {
                    options.OnUnreadMail = static (_, _) => ValueTask.CompletedTask;
                    options.MessageTransport = transport;
                    options.Scheduler = scheduler?.InFrontOf(options.Scheduler) ?? options.Scheduler;
                });
                await scenario(world, host);
            },
            new SimulationOptions
            {
                Histories = 20,
                Faults = SimulationFaults.None,
                Store = store is null ? SimulationStore.InMemory : new BrokenSimulationStore(store),
            },
            TestContext.Current.CancellationToken));

        Assert.Equal(law, failure.Law);
        Assert.InRange(failure.History.Count, 1, LongestHistory);
    }

    /// <summary>Takes every message.</summary>
    private sealed class TakingTransport : IMessageTransport
    {
        public bool Carries(string toThreadId, string? toAgentId) => true;

        public ValueTask SendAsync(OutgoingMessage message, CancellationToken cancellationToken) => default;
    }
}
