namespace Coppice.Testing.Tests;

/// <summary>Code that leaves the simulation's thread is found, and told what to do instead.</summary>
public sealed class EscapeTests
{
    private static readonly SimulationOptions Few = new() { Histories = 3, Faults = SimulationFaults.None };

    [Fact]
    public Task A_body_on_the_thread_pool_is_reported() => IsReportedAsync(static async (context, _) =>
    {
        await Task.Run(static () => { });
        await context.Manager.GetAsync(context.TaskId);
    });

    [Fact]
    public Task A_body_that_yields_is_reported() => IsReportedAsync(static async (context, _) =>
    {
        await Task.Yield();
        await context.Manager.GetAsync(context.TaskId);
    });

    [Fact]
    public Task A_body_that_waits_by_the_clock_of_the_system_is_reported() => IsReportedAsync(static async (context, _) =>
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
        await context.Manager.GetAsync(context.TaskId);
    });

    [Fact]
    public async Task A_body_that_blocks_its_thread_is_reported()
    {
        var failure = await FailAsync(
            static async (context, _) => context.Manager.WaitAsync(context.TaskId).Wait(),
            Few with { StandstillTimeout = TimeSpan.FromMilliseconds(200) });

        Assert.Contains("blocks its thread", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scenario_that_waits_for_what_never_comes_is_reported()
    {
        var failure = await Assert.ThrowsAsync<SimulationFailedException>(() => Simulation.ExploreAsync(
            static async world =>
            {
                await world.StartHostAsync("host");
                await new TaskCompletionSource().Task;
            },
            Few,
            TestContext.Current.CancellationToken));

        Assert.Equal("Liveness: every wait ends", failure.Law);
        Assert.Contains("the scenario has not ended", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_history_that_goes_round_in_circles_is_reported()
    {
        var failure = await Assert.ThrowsAsync<SimulationFailedException>(() => Simulation.ExploreAsync(
            static async world =>
            {
                var host = await world.StartHostAsync("host");
                while (true)
                {
                    await host.Manager.ListAsync("t");
                    await world.DelayAsync(TimeSpan.FromMilliseconds(1));
                }
            },
            Few with { MaxSteps = 1_000 },
            TestContext.Current.CancellationToken));

        Assert.Contains("more than 1000 steps", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delay_by_the_hosts_clock_that_is_cancelled_stays_inside()
    {
        var report = await Simulation.ExploreAsync(
            static async world =>
            {
                var host = await world.StartHostAsync("host");
                var id = await host.Manager.SpawnAsync("t", async context =>
                {
                    await Task.Delay(TimeSpan.FromHours(1), host.Time, context.CancellationToken);
                    return TaskOutcome.Success(1);
                });
                await world.DelayAsync(TimeSpan.FromSeconds(5));
                await host.Manager.CancelAsync(id);
                Assert.Equal(TaskState.Cancelled, (await host.Manager.WaitAsync(id)).State);
            },
            Few,
            TestContext.Current.CancellationToken);

        Assert.Equal(Few.Histories, report.Histories);
    }

    private static async Task IsReportedAsync(Func<TaskContext, SimulatedHost, Task> body)
    {
        var failure = await FailAsync(body, Few);

        Assert.Equal("Simulation", failure.Law);
        Assert.Contains("Instead of Task.Run", failure.Message, StringComparison.Ordinal);
    }

    private static Task<SimulationFailedException> FailAsync(Func<TaskContext, SimulatedHost, Task> body, SimulationOptions options) =>
        Assert.ThrowsAsync<SimulationFailedException>(() => Simulation.ExploreAsync(
            async world =>
            {
                var host = await world.StartHostAsync("host");
                await host.Manager.WaitAsync(await host.Manager.SpawnAsync("t", context => body(context, host)));
            },
            options,
            TestContext.Current.CancellationToken));
}
