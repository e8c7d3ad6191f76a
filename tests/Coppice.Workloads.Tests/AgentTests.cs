namespace Coppice.Workloads.Tests;

/// <summary>What a model costs, and never misses, beside background tasks. All of it runs in the simulation: the same seed is the same history.</summary>
public sealed class AgentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_that_is_told_is_not_called_while_nothing_happens_and_at_most_once_for_a_batch_of_ends()
    {
        var figures = await ToldWorkload.RunAsync(Parameters.Parse(["tasks=20", "histories=20"]));

        Assert.Equal(0, figures["idle_calls"]);
        Assert.InRange(figures["calls_a_batch"], 0.1, 1);
    }

    [Fact]
    public async Task A_model_that_polls_is_called_more_often_and_sent_more()
    {
        var parameters = Parameters.Parse(["tasks=20", "histories=10"]);

        var told = await ToldWorkload.RunAsync(parameters);
        var polled = await ToldWorkload.PollAsync(parameters);

        Assert.True(told["calls"] < polled["calls"], $"{told["calls"]} calls beside {polled["calls"]}.");
        Assert.True(told["characters"] < polled["characters"], $"{told["characters"]} characters beside {polled["characters"]}.");
        Assert.True(polled["idle_calls"] == 0, "Each poll has its answer, so none counts as idle.");
    }

    [Fact]
    public async Task The_same_seeds_give_the_same_counts()
    {
        var parameters = Parameters.Parse(["tasks=8", "histories=5", "seed=7"]);

        Assert.Equal(await ToldWorkload.RunAsync(parameters), await ToldWorkload.RunAsync(parameters));
    }

    [Theory]
    [InlineData("Responses")]
    [InlineData("Updates")]
    [InlineData("Messages")]
    public async Task A_model_hears_of_every_end_whenever_its_process_dies(string kept)
    {
        // A failure prints its seed and its smallest history.
        var scenario = new CrashScenario(tasks: 20, Enum.Parse<KeptHistory>(kept)) { FailsWhenMissed = true };

        await scenario.ExploreAsync(histories: 100, firstSeed: 1, Stop);

        Assert.True(scenario.Deaths >= 80, $"Only {scenario.Deaths} turns died.");
        Assert.True(scenario.Ended >= 2000, $"Only {scenario.Ended} tasks.");
        Assert.Equal((0, 0), (scenario.Missed, scenario.IdleCalls));
    }

    [Theory]
    [InlineData("Updates")]
    [InlineData("Messages")]
    public async Task An_application_that_keeps_each_step_as_it_comes_has_every_end_in_its_history(string kept)
    {
        var scenario = new CrashScenario(tasks: 20, Enum.Parse<KeptHistory>(kept));

        await scenario.ExploreAsync(histories: 100, firstSeed: 1001, Stop);

        Assert.Equal(0, scenario.NotInHistory);
    }
}
