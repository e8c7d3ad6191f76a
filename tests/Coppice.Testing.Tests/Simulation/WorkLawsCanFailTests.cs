namespace Coppice.Testing.Tests;

/// <summary>Each law of tasks of registered kinds, broken on purpose and found out with a short history.</summary>
public sealed class WorkLawsCanFailTests
{
    private const int LongestHistory = 90;

    [Fact]
    public Task A_step_of_an_attempt_that_is_over() =>
        BreaksAsync(
            "Work: only the attempt that has a task stores anything of it",
            static () => new LenientStore(),
            static async (world, host) =>
            {
                await host.Manager.SpawnAsync(Kinds.Impatient, "t", new Order([]));
                await world.DelayAsync(TimeSpan.FromMinutes(1));
            });

    [Fact]
    public Task A_task_that_is_begun_before_its_time() =>
        BreaksAsync(
            "Work: a task is claimed while it is pending and due, with a claim of its own",
            static () => new ChangingStore<AddTask>(static add => add with { Work = add.Work! with { DueAt = null } }),
            static async (world, host) =>
                await host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]), new SpawnOptions { Delay = TimeSpan.FromMinutes(1) }));

    [Fact]
    public Task An_attempt_that_is_counted_twice() =>
        BreaksAsync("Work: attempts, failures and crashes are counted", static () => new OvercountingStore(), Orders(WorkKinds.Once));

    [Fact]
    public Task A_task_that_is_never_run_again_and_is() =>
        BreaksAsync(
            "Work: a task that is never run again is begun once, unless its attempt failed",
            static () => new ChangingStore<AddTask>(static add => add with { Work = add.Work! with { Recovery = RecoveryPolicy.Idempotent } }),
            Crash(WorkKinds.Once, "deaf"));

    [Fact]
    public Task A_task_that_would_be_run_again_and_is_given_up() =>
        BreaksAsync(
            "Work: a task ends because an attempt says so, or for a reason that is its own",
            static () => new ChangingStore<AddTask>(static add => add with { Work = add.Work! with { Recovery = RecoveryPolicy.Never } }),
            Crash(WorkKinds.Steps, "deaf"));

    [Fact]
    public Task An_end_that_is_stored_as_another() =>
        BreaksAsync(
            "Work: what an attempt said is what is stored",
            static () => new ChangingStore<FinishTask>(static finish => finish with { State = TaskState.Cancelled, Result = null }),
            Orders(WorkKinds.Once));

    [Fact]
    public Task A_step_that_is_forgotten() =>
        BreaksAsync("Work: a step that is stored is not run again", static () => new StepShowingStore(static _ => []), Orders(WorkKinds.Steps, "step", "fail"));

    [Fact]
    public Task A_step_that_gives_something_else() =>
        BreaksAsync(
            "Work: an attempt gets of a step what is stored, byte for byte",
            static () => StepShowingStore.Of(static _ => JsonValue.Parse("""{"paid":0}""")),
            Orders(WorkKinds.Steps, "step", "fail"));

    [Fact]
    public Task A_checkpoint_that_is_forgotten() =>
        BreaksAsync(
            "Work: an attempt begins with the steps and the checkpoint that are stored",
            static () => new AnsweringStore<WorkClaimed>(static claimed => claimed with { Tasks = [.. claimed.Tasks.Select(static work => work with { Checkpoint = null })] }),
            Orders(WorkKinds.Steps, "checkpoint", "fail"));

    [Fact]
    public Task A_limit_that_does_not_hold() =>
        BreaksAsync(
            "Work: no more of a kind runs at once than its limits allow",
            static () => new ChangingStore<ClaimWork>(
                static claim => claim with { Kinds = [.. claim.Kinds.Select(static kind => new KindClaim(kind.Kind) { MaxVersion = kind.MaxVersion })] }),
            static async (world, host) =>
            {
                await host.Manager.SpawnAsync(WorkKinds.Narrow, "t", new Order([new Doing("park", 0)]));
                await host.Manager.SpawnAsync(WorkKinds.Narrow, "t", new Order([new Doing("park", 0)]));
            });

    [Fact]
    public Task A_host_that_takes_too_many() =>
        BreaksAsync(
            "Work: a host takes no more tasks than it has room for",
            null,
            static async (world, host) =>
            {
                // It has started, and goes by what it was told then.
                host.Options.MaxConcurrentAttempts = 1;
                await host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]));
            });

    [Fact]
    public Task A_key_that_two_tasks_have() =>
        BreaksAsync(
            "Work: an idempotency key has one task",
            static () => new ChangingStore<AddTask>(static add => add with { Work = add.Work! with { IdempotencyKey = null } }),
            static async (world, host) =>
            {
                await host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]), new SpawnOptions { IdempotencyKey = "key" });
                await host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]), new SpawnOptions { IdempotencyKey = "key" });
            });

    [Fact]
    public Task A_sleep_that_ends_early_after_a_restart() =>
        BreaksAsync(
            "Work: a sleep ends when its time has come, and after a restart what is left of it",
            static () => StepShowingStore.Of(static wake => JsonValue.Parse((wake.GetInt64() - 3_600_000).ToString(System.Globalization.CultureInfo.InvariantCulture))),
            Crash(WorkKinds.Steps, "sleep"));

    [Fact]
    public Task A_join_that_is_answered_otherwise() =>
        BreaksAsync(
            "Work: a join that was answered is answered the same in later attempts",
            static () => StepShowingStore.Of(static _ => JsonValue.Parse("""{"is_met":false,"ended":[]}""")),
            Orders(WorkKinds.Steps, "pause", "pause", "join", "fail"));

    [Fact]
    public Task Mail_that_was_acknowledged_and_comes_again() =>
        BreaksAsync(
            "Work: an agent's next attempt reads on after the last mail that was acknowledged",
            static () => new ForgettingReaderStore(),
            static async (world, host) =>
            {
                var agent = await host.Manager.SpawnAsync(WorkKinds.Agent, "t", new Order([new Doing("mail", 0), new Doing("fail", 1), new Doing("mail", 2)]));
                await host.Manager.SendAsync(agent.Id, new MessageSender("t", "sender"), "hello");
                await world.DelayAsync(TimeSpan.FromMinutes(1));
            });

    [Fact]
    public Task A_task_that_nobody_is_told_of() =>
        BreaksAsync("Liveness: no task waits that may begin, where a host knows its kind and has room", static () => new DullStore(null), Orders(WorkKinds.Once));

    [Fact]
    public Task A_task_that_is_begun_late() =>
        BreaksAsync(
            "Work: what is due is begun in time, where nothing goes wrong and a host has room",
            static () => new DullStore(TimeSpan.FromSeconds(30)),
            static async (world, host) =>
            {
                await host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]), new SpawnOptions { Delay = TimeSpan.FromSeconds(5) });
                await host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]));
            });

    private static Func<SimulationWorld, SimulatedHost, Task> Orders(TaskKind<Order, int> kind, params string[] does) => async (world, host) =>
    {
        await host.Manager.SpawnAsync(kind, "t", new Order([.. does.Select(static (what, i) => new Doing(what, i))]));
        await world.DelayAsync(TimeSpan.FromMinutes(1));
    };

    /// <summary>Its host dies while it is at something, and another is there.</summary>
    private static Func<SimulationWorld, SimulatedHost, Task> Crash(TaskKind<Order, int> kind, string at) => async (world, host) =>
    {
        await world.StartHostAsync("other", options => Register(world, options));
        await host.RunAsync(manager => manager.SpawnAsync(kind, "t", new Order([new Doing(at, 19)])).AsTask());
        await world.DelayAsync(TimeSpan.FromMilliseconds(500));
        host.Crash();
        await world.DelayAsync(TimeSpan.FromMinutes(1));
    };

    private static void Register(SimulationWorld world, BackgroundTaskOptions options)
    {
        var paid = 0;
        options.AttemptGracePeriod = TimeSpan.FromSeconds(1);
        foreach (var kind in WorkKinds.All)
        {
            options.Tasks.Add(
                kind, (order, context) => new WorkBody(world, world.Hosts.First(host => host.Options == options), context, () => ++paid, static () => "bg_0").RunAsync(order));
        }

        options.Tasks.Add(Kinds.Impatient, async (_, context) =>
        {
            if (context.Attempt > 1)
            {
                await context.WhenCancelledAsync();
                return 0;
            }

            // It does not listen, and finds out when its result is not taken.
            return await context.StepAsync("long", async _ =>
            {
                await Task.Delay(TimeSpan.FromSeconds(9), options.TimeProvider, CancellationToken.None);
                return 1;
            });
        });
    }

    private static async Task BreaksAsync(string law, Func<StoreInFront>? store, Func<SimulationWorld, SimulatedHost, Task> scenario)
    {
        var failure = await Assert.ThrowsAsync<SimulationFailedException>(() => Simulation.ExploreAsync(
            async world =>
            {
                var host = await world.StartHostAsync("host", options => Register(world, options));
                await scenario(world, host);
            },
            new SimulationOptions
            {
                Histories = 30,
                Faults = SimulationFaults.None,
                Store = store is null ? SimulationStore.InMemory : new BrokenSimulationStore(store),
            },
            TestContext.Current.CancellationToken));

        Assert.Equal(law, failure.Law);
        Assert.InRange(failure.History.Count, 1, LongestHistory);
    }

    private static class Kinds
    {
        internal static TaskKind<Order, int> Impatient { get; } = new("impatient")
        {
            Recovery = RecoveryPolicy.Resumable,
            AttemptTimeout = TimeSpan.FromSeconds(5),
            Retry = new RetryPolicy { MaxRetryAttempts = 1, Delay = TimeSpan.FromSeconds(1), UseJitter = false },
        };
    }
}
