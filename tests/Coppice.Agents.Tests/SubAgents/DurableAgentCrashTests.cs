using Coppice.StoreContract;
using Microsoft.Extensions.AI;
using static Coppice.Agents.Tests.SubAgents.DurableTeam;

namespace Coppice.Agents.Tests.SubAgents;

/// <summary>An agent whose host ends at each of its commits in turn: another goes on, and nothing that was stored is done or paid for twice.</summary>
public sealed class DurableAgentCrashTests
{
    private const int Answers = 6;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Death.BeforeCommit)]
    [InlineData(Death.AfterCommit)]
    [InlineData(Death.StandsStill)]
    public async Task Wherever_its_host_ends_another_goes_on_and_pays_for_nothing_twice(Death death)
    {
        var commit = 1;
        while (await EndsAsync(death, commit))
        {
            commit++;
        }

        // Prompt, answers, calls that begin, their results, corrections, the child's claim and end, its own end.
        Assert.InRange(commit, 15, 60);
    }

    /// <summary>Whether the host came to its end before the agent did.</summary>
    private static async Task<bool> EndsAsync(Death death, int commit)
    {
        await using var team = Team();
        var (store, dying) = DyingStore.Of(team.Store, death, commit);
        var front = await team.StartHostAsync("front");
        var (first, agent) = await team.StartAsync("first", store);
        var task = await front.SpawnAsync(agent.Kind, Owner, new ChatAgentInput("Judge it."), null, Stop);

        var ended = front.WaitAsync(task.Id, Stop);
        var hasDied = await Task.WhenAny(dying.Died, ended).Within() == dying.Died;
        if (hasDied)
        {
            await team.GiveUpAsync("first");
            await team.StartAsync("second");
        }

        var at = $"{death} at commit {commit}: {(dying.Last is null ? "none" : string.Join(", ", dying.Last.Mutations))}";
        await AssertAsync(team, front, await ended.Within(), at);
        if (death == Death.StandsStill || !hasDied)
        {
            dying.WakeUp();
            await first.DisposeAsync().Within();
            await AssertAsync(team, front, await ended, at);
        }

        return hasDied;
    }

    private static async Task AssertAsync(DurableTeam team, BackgroundTaskManager front, TaskSnapshot ended, string at)
    {
        var said = await team.ReadAsync(front, ended.TaskId);
        Assert.True(ended is { State: TaskState.Completed, Result: { } result } && result.GetRawText() == """{"score":7}""", at + ": " + ended.Error);
        Assert.Equal(Answers, said.Count(static message => message.Role == ChatRole.Assistant));

        // What was answered and not stored is lost with its host, and only that.
        var paid = team.Paid.GroupBy(static answer => answer).Where(static times => times.Count() > 1).ToList();
        Assert.True(paid.Count <= 1 && team.Paid.Count <= Answers + 1, $"{at}: {string.Join(",", team.Paid)}");

        // Each call was made once, or not at all, if the model was told that this is not known.
        var results = said.SelectMany(static message => message.Contents).OfType<FunctionResultContent>().ToList();
        foreach (var (bill, number) in new[] { ("a", 0), ("b", 1), ("c", 2) })
        {
            var times = team.Made.Count(made => made == bill);
            var isUnknown = results.Where(static each => each.CallId.StartsWith("pay", StringComparison.Ordinal)).ElementAt(number)
                .Result!.ToString()!.Contains("interrupted", StringComparison.Ordinal);
            Assert.True(times == 1 || (times == 0 && isUnknown), $"{at}: {bill} was paid {times} times");
        }

        var child = Assert.Single(await front.ListAsync(ended.AgentThreadId!, Stop));
        Assert.Equal((TaskState.Completed, "crawl"), (child.State, child.Type));
        Assert.Equal(1, said.Count(message => message.Contents.OfType<DataContent>().Any(
            mail => System.Text.Encoding.UTF8.GetString(mail.Data.Span).Contains("read page", StringComparison.Ordinal))));
        await using var inbox = await front.OpenInboxAsync(Owner, Stop);
        Assert.Equal(ended.TaskId, Assert.IsType<TaskCompleted>(Assert.Single(await inbox.DrainAsync(Stop)).Event).TaskId);
    }

    private static DurableTeam Team()
    {
        var team = new DurableTeam();
        team.Tools.Add(AIFunctionFactory.Create(async (string bill) => { team.Made.Enqueue(bill); await Task.Yield(); return "paid " + bill; }, "pay"));
        team.Tools.Add(AIFunctionFactory.Create(() => "a diff", "look").Idempotent());
        team.Change = static agent => agent.WithResult(TeamJson.Default.Verdict);
        return team
            .Asks(("pay1", "pay", """{"bill":"a"}"""), ("pay2", "pay", """{"bill":"b"}"""), ("look", "look", "{}"), ("spawn", "spawn_task", """{"kind":"crawl","input":"page","name":"page"}"""))
            .Says("I wait.")
            .Asks(("pay1", "pay", """{"bill":"c"}"""), ("look", "look", "{}"))
            .Says("It is good.")
            .Asks(("look", "look", "{}"))
            .Says("""{"score":7}""");
    }
}
