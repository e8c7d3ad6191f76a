using System.Text.Json;
using Coppice.Samples.Tests.Support;

namespace Coppice.Samples.Tests.ResearchTeam;

/// <summary>The sample as a user runs it.</summary>
public sealed class ResearchTeamTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("coppice-samples-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_network_a_team_of_scripted_models_answers_a_question()
    {
        // Whoever asks a proxy that is not there for anything fails.
        var result = await RunAsync(
            new() { ["http_proxy"] = "http://127.0.0.1:1", ["https_proxy"] = "http://127.0.0.1:1" }, "--question", "Who invented the canoe?");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("calls spawn_agent agent: historian, prompt: Who invented the canoe?", result.Output, StringComparison.Ordinal);
        foreach (var (task, name) in new[] { ("bg_0", "historian"), ("bg_1", "engineer"), ("bg_2", "critic") })
        {
            AssertInOrder(result.Output, $"{task} ", $"spawned: {name}", $"{task} ", "completed: ", "Report", $"The {name}: ");
            AssertInOrder(result.Output, $"is told: {task} completed", "Report");
        }

        AssertInOrder(result.Output, "is told: bg_1 completed", "calls continue_task task_id: bg_1", "is told: bg_3 completed");
        AssertInOrder(result.Output, "bg_3 ", "continues bg_1", "bg_3 ", "completed: ");
        var report = result.Output[result.Output.IndexOf("\nReport\n", StringComparison.Ordinal)..];
        Assert.Contains("Who invented the canoe?", report, StringComparison.Ordinal);
        Assert.Contains("The engineer: To \"Which single cause would you remove first?\"", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tasks_and_conversations_stay_in_the_store_that_was_named()
    {
        var path = Path.Combine(_folder, "team.db");

        var first = await RunAsync([], "--store", path);
        var second = await RunAsync([], "--store", path);

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        await using var store = await SqliteTaskStore.OpenAsync(path, null, Stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, null, Stop);
        var tasks = await manager.ListAsync("research", Stop);
        Assert.Equal(8, tasks.Count);
        Assert.All(tasks, task => Assert.Equal(TaskState.Completed, task.State));
        Assert.All(tasks, task => Assert.Equal("coordinator", task.Lineage.AgentId));
        var entries = await manager.ReadConversationAsync(tasks[0].AgentThreadId!, Stop).CountAsync(Stop);
        Assert.True(entries >= 3, $"The conversation has {entries} entries.");
    }

    [Fact]
    public async Task A_run_after_a_killed_one_is_told_of_the_tasks_that_it_left()
    {
        var path = Path.Combine(_folder, "team.db");

        await SampleProcess.KillAtAsync("spawned: critic", "ResearchTeam", "--store", path);
        var next = await RunAsync([], "--store", path);

        Assert.Equal((0, ""), (next.ExitCode, next.Error));
        AssertInOrder(next.Output, "is told: bg_2 failed", "spawned: historian", "Report", "The critic: ");
    }

    [Fact]
    public async Task A_real_model_is_reached_over_http_when_one_is_named()
    {
        await using var server = CompletionsServer.Start(Think);

        var result = await RunAsync(
            new() { ["OPENAI_MODEL"] = "tiny-1", ["OPENAI_BASE_URL"] = server.BaseUrl.ToString(), ["OPENAI_API_KEY"] = "secret" },
            "--question", "Who?");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains($"tiny-1 at {server.BaseUrl}", result.Output, StringComparison.Ordinal);
        AssertInOrder(result.Output, "bg_0 ", "spawned: historian", "is told: bg_0 completed", "Report", "It was Ada.");
        Assert.All(server.Keys, key => Assert.Equal("Bearer secret", key));
    }

    [Fact]
    public async Task Text_of_a_model_cannot_steer_the_terminal()
    {
        await using var server = CompletionsServer.Start(Completions.Text("red \u001b[31mand\u0007 a line\n\u202egone\u202c \ud83d\ude80"));

        var result = await RunAsync(
            new() { ["OPENAI_MODEL"] = "tiny-1", ["OPENAI_BASE_URL"] = server.BaseUrl.ToString() }, "--question", "Who\u001b]0;title\u0007?");

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain(result.Output, character => char.IsControl(character) && character != '\n');
        Assert.DoesNotContain('\u202e', result.Output);
        Assert.Contains("red [31mand a line\ngone \ud83d\ude80", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_refuses_is_one_line_and_an_exit_code()
    {
        await using var server = CompletionsServer.Start(Completions.Error(401, "wrong key"));

        var result = await RunAsync(new() { ["OPENAI_MODEL"] = "tiny-1", ["OPENAI_BASE_URL"] = server.BaseUrl.ToString() });

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("401", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData("--what")]
    [InlineData("--question")]
    [InlineData("--question", " ")]
    [InlineData("--store")]
    public async Task A_wrong_command_line_is_one_line_and_an_exit_code(params string[] arguments)
    {
        var result = await RunAsync([], arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains(arguments[0], result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OPENAI_BASE_URL", "ftp://example.org")]
    [InlineData("OPENAI_BASE_URL", "localhost")]
    [InlineData("OPENAI_API_KEY", "")]
    public async Task An_environment_that_cannot_be_meant_is_refused(string name, string value)
    {
        var result = await RunAsync(new() { ["OPENAI_MODEL"] = "tiny-1", [name] = value });

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(name, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_names_the_options_and_the_variables()
    {
        var result = await RunAsync([], "--help");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.All(
            ["--question", "--store", "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"],
            name => Assert.Contains(name, result.Output, StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Task<SampleResult> RunAsync(Dictionary<string, string> environment, params string[] arguments) =>
        SampleProcess.RunAsync("ResearchTeam", environment, arguments);

    /// <summary>A model of three thoughts: an expert answers; a coordinator sets one to work, and reports when it was told of the end.</summary>
    private static Reply Think(JsonElement request)
    {
        var messages = request.GetProperty("messages").GetRawText();
        if (messages.Contains("You are a historian", StringComparison.Ordinal))
        {
            return Completions.Text("Ada.");
        }

        if (!messages.Contains("tool_call_id", StringComparison.Ordinal))
        {
            return Completions.Calls(("c1", "spawn_agent", """{"agent":"historian","prompt":"Who?","name":"historian"}"""));
        }

        return Completions.Text(messages.Contains("Ada.", StringComparison.Ordinal) ? "It was Ada." : "I wait.");
    }

    private static void AssertInOrder(string text, params string[] parts)
    {
        var from = 0;
        foreach (var part in parts)
        {
            var at = text.IndexOf(part, from, StringComparison.Ordinal);
            Assert.True(at >= 0, $"'{part}' is missing after place {from} in:\n{text}");
            from = at + part.Length;
        }
    }
}
