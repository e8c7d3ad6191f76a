using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

/// <summary>Which thread a background function works for, where it was told none.</summary>
public sealed class BackgroundThreadTests
{
    private static readonly AIFunction Inner = AIFunctionFactory.Create(() => 1, "one");

    [Fact]
    public async Task It_is_the_thread_of_the_scope()
    {
        await using var bench = await Bench.StartAsync();

        var task = await InScopeAsync(bench, "t7");

        Assert.Equal("t7", (await bench.Manager.GetAsync(task, Bench.Stop))!.OwnerThreadId);

        static async Task<string> InScopeAsync(Bench bench, string thread)
        {
            ThreadScope.Enter(new ThreadScope(bench.Manager, thread));
            return (await Inner.InBackground().CallAsync("{}")).Text("task_id");
        }
    }

    [Fact]
    public async Task In_the_body_of_an_agent_it_is_the_agents_own()
    {
        await using var bench = await Bench.StartAsync();
        var id = await bench.Manager.SpawnAgentAsync(
            "t1",
            async agent =>
            {
                var task = (await Inner.InBackground().CallAsync("{}")).Text("task_id");
                return TaskOutcome.Success((await bench.Manager.GetAsync(task))!.OwnerThreadId == agent.ThreadId);
            },
            cancellationToken: Bench.Stop);

        Assert.Equal("true", (await bench.Manager.WaitAsync(id, Bench.Stop)).Result?.GetRawText());
    }

    [Fact]
    public async Task What_a_background_function_calls_works_for_the_same_thread()
    {
        await using var bench = await Bench.StartAsync();
        var inner = Inner.InBackground();
        var outer = AIFunctionFactory.Create(() => inner.CallAsync("{}"), "outer").InBackground(bench.Manager, "t7");

        var first = await bench.Manager.WaitAsync((await outer.CallAsync("{}")).Text("task_id"), Bench.Stop);
        var second = await bench.Manager.GetAsync(first.Result!.Value.Text("task_id"), Bench.Stop);

        Assert.Equal("t7", second!.OwnerThreadId);
        Assert.Equal(first.TaskId, second.Lineage.TaskId);
    }

    [Fact]
    public async Task Elsewhere_the_answer_says_what_is_missing()
    {
        var answer = await Inner.InBackground().CallAsync("{}");

        Assert.Equal(["status", "error", "message"], answer.EnumerateObject().Select(each => each.Name));
        Assert.Equal(("failed", "thread_unavailable"), (answer.Text("status"), answer.Text("error")));
        Assert.Contains("InBackground", answer.Text("message"), StringComparison.Ordinal);
    }
}
