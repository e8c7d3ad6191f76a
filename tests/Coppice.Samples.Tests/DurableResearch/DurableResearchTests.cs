using Coppice.Samples.Tests.Support;

namespace Coppice.Samples.Tests.DurableResearch;

/// <summary>The sample as a user runs it, and kills it.</summary>
public sealed class DurableResearchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("coppice-samples-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_finishes_in_one_go_and_pays_for_everything_once()
    {
        var result = await RunAsync();

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.StartsWith("bg_0 begins: Why?\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("The critic: plausible, though it rests on 6 sources.", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("1 process, 8 payments: nothing was paid for again once its result was stored.\n", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("paid plan")]
    [InlineData("have plan")]
    [InlineData("have look up")]
    [InlineData("note naps")]
    [InlineData("note wakes up")]
    [InlineData("paid question of the critic")]
    [InlineData("paid check sources")]
    [InlineData("have question of the critic")]
    [InlineData("have verdict")]
    [InlineData("paid write")]
    public async Task Killed_anywhere_it_goes_on_and_pays_for_nothing_again_whose_result_is_stored(string moment)
    {
        await KillAtAsync(moment);

        AssertFinished(await RunAsync(), processes: 2);
    }

    [Fact]
    public async Task Killed_again_and_again_it_still_finishes()
    {
        foreach (var moment in new[] { "paid plan", "have look up", "note naps", "paid answer of the critic" })
        {
            await KillAtAsync(moment);
        }

        AssertFinished(await RunAsync(), processes: 5);
    }

    [Fact]
    public async Task A_finished_piece_of_research_is_not_done_again()
    {
        await RunAsync();

        var again = await RunAsync();

        Assert.Contains("bg_0 goes on: Why?\n", again.Output, StringComparison.Ordinal);
        Assert.EndsWith("1 process, 8 payments: nothing was paid for again once its result was stored.\n", again.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nonsense")]
    [InlineData("--question")]
    [InlineData("--folder", " ")]
    public async Task A_wrong_option_is_refused_with_advice(params string[] arguments)
    {
        var result = await SampleProcess.RunAsync("DurableResearch", [], arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("--help", result.Error, StringComparison.Ordinal);
    }

    private static void AssertFinished(SampleResult result, int processes)
    {
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("bg_0 goes on: Why?\n", result.Output, StringComparison.Ordinal);
        Assert.Contains($"\n{processes} processes, ", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("nothing was paid for again once its result was stored.\n", result.Output, StringComparison.Ordinal);
    }

    private Task<SampleResult> RunAsync() => SampleProcess.RunAsync("DurableResearch", [], "--question", "Why?", "--folder", _folder);

    private Task KillAtAsync(string text) => SampleProcess.KillAtAsync(text, "DurableResearch", "--question", "Why?", "--folder", _folder);
}
