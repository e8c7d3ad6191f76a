namespace Coppice.Testing.Tests;

/// <summary>What becomes of work when the store fails at one place: what random histories found, or might have.</summary>
public sealed class WorkInTroubleTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_spawn_with_a_key_whose_answer_was_lost_is_not_taken_back_from_who_spawned_again()
    {
        var store = new LosingStore();
        TaskSnapshot? task = null;
        await ExploreAsync(store, async world =>
        {
            var host = await world.StartHostAsync("host", options => options.Tasks.Add(WorkKinds.Once, static (_, _) => Task.FromResult(1)));
            var options = new SpawnOptions { IdempotencyKey = "key", Delay = TimeSpan.FromSeconds(30) };
            store.LosesSpawns = true;
            await Assert.ThrowsAsync<TaskStoreException>(() => host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]), options, Stop).AsTask());
            store.LosesSpawns = false;

            var again = await host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]), options);
            Assert.True(again.WasKnown);
            await world.DelayAsync(TimeSpan.FromMinutes(1));
            task = await host.Manager.GetAsync(again.Id);
        });

        Assert.Equal(TaskState.Completed, task?.State);
    }

    [Fact]
    public async Task A_spawn_without_a_key_whose_answer_was_lost_is_taken_back()
    {
        var store = new LosingStore();
        IReadOnlyList<TaskSnapshot> tasks = [];
        await ExploreAsync(store, async world =>
        {
            var host = await world.StartHostAsync("host", options => options.Tasks.Add(WorkKinds.Once, static (_, _) => Task.FromResult(1)));
            store.LosesSpawns = true;
            await Assert.ThrowsAsync<TaskStoreException>(
                () => host.Manager.SpawnAsync(WorkKinds.Once, "t", new Order([]), new SpawnOptions { Delay = TimeSpan.FromSeconds(30) }, Stop).AsTask());
            store.LosesSpawns = false;
            await world.DelayAsync(TimeSpan.FromMinutes(1));
            tasks = await host.Manager.ListAsync("t");
        });

        Assert.Equal(TaskState.Cancelled, Assert.Single(tasks).State);
    }

    [Fact]
    public async Task An_attempt_whose_steps_cannot_be_read_for_the_moment_goes_on_when_they_can()
    {
        var store = new LosingStore { LostReads = 8 };
        TaskSnapshot? task = null;
        await ExploreAsync(store, async world =>
        {
            await StartAsync("first");
            var second = await StartAsync("second");
            var id = (await second.Manager.SpawnAsync(WorkKinds.Fragile, "t", new Order([new Doing("step", 0), new Doing("sleep", 19)]))).Id;
            await world.DelayAsync(TimeSpan.FromSeconds(5));
            world.Hosts[0].Crash();
            second.Crash();
            var third = await StartAsync("third");
            await world.DelayAsync(TimeSpan.FromMinutes(2));
            task = await third.Manager.GetAsync(id);

            Task<SimulatedHost> StartAsync(string name) => world.StartHostAsync(name, options => options.Tasks.Add(
                WorkKinds.Fragile,
                (order, context) => new WorkBody(world, world.Hosts.First(host => host.Options == options), context, static () => 1, static () => "bg_0") { IsSteady = true }
                    .RunAsync(order)));
        });

        Assert.Equal(0, store.LostReads);
        Assert.Equal((TaskState.Completed, null), (task?.State, task?.Error));
    }

    private static async Task ExploreAsync(LosingStore store, Func<SimulationWorld, Task> scenario) => await Simulation.ExploreAsync(
        scenario,
        new SimulationOptions { Histories = 1, Faults = SimulationFaults.None, Store = new BrokenSimulationStore(() => store), Laws = [] },
        Stop);

    /// <summary>Stores spawns and loses their answers, and some reads of steps fail.</summary>
    private sealed class LosingStore : StoreInFront
    {
        private readonly Dictionary<BatchId, CommitResult> _lost = [];

        internal bool LosesSpawns { get; set; }

        internal int LostReads { get; set; }

        public override async ValueTask<CommitResult> CommitAsync(MutationBatch batch, CancellationToken cancellationToken)
        {
            if (!LosesSpawns || batch.Mutations[0] is not AddTask)
            {
                return await base.CommitAsync(batch, cancellationToken);
            }

            _lost[batch.Id] = await Inner.CommitAsync(new MutationBatch(batch.Id, batch.Host, batch.Time, batch.Mutations), cancellationToken);
            throw Failure();
        }

        public override ValueTask<CommitResult?> FindCommitAsync(MutationBatch batch, CancellationToken cancellationToken) =>
            LosesSpawns ? throw Failure()
            : _lost.TryGetValue(batch.Id, out var lost) ? ValueTask.FromResult<CommitResult?>(lost)
            : base.FindCommitAsync(batch, cancellationToken);

        public override ValueTask<IReadOnlyList<TaskStep>> ReadStepsAsync(string taskId, int from, int limit, CancellationToken cancellationToken)
        {
            if (LostReads == 0)
            {
                return base.ReadStepsAsync(taskId, from, limit, cancellationToken);
            }

            LostReads--;
            throw Failure();
        }

        private static TaskStoreException Failure() => new("away", isTransient: true);
    }
}
