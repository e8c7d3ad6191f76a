using System.Text.Json;

namespace Coppice.Agents.Tests;

public sealed class ToolSetTests
{
    [Fact]
    public async Task The_tools_have_their_names_and_each_can_be_left_out()
    {
        var crawl = new TaskKind<string, string>("crawl") { Description = "Reads a page." };
        await using var bench = await Bench.StartAsync(configure: options => options.Tasks.Add(crawl, static (page, _) => Task.FromResult(page)));
        ChatAgent[] agents = [new("researcher", new ScriptedChatClient())];

        Assert.Equal(
            ["list_tasks", "get_task", "wait_for_tasks", "send_message", "cancel_task", "stop_task", "recover_failed_messages"],
            BackgroundTaskTools.For(bench.Manager, "t1", new() { Kinds = [] }).Select(tool => tool.Name));
        Assert.Equal(BackgroundTaskTools.Names, BackgroundTaskTools.For(bench.Manager, "t1", new() { Agents = agents }).Select(tool => tool.Name));
        Assert.All(BackgroundTaskTools.Names, left => Assert.Equal(
            BackgroundTaskTools.Names.Where(name => name != left),
            BackgroundTaskTools.For(bench.Manager, "t1", new() { Agents = agents, Exclude = [left] }).Select(tool => tool.Name)));
    }

    [Fact]
    public async Task Every_tool_says_when_to_use_it_and_takes_nothing_but_what_its_schema_names()
    {
        await using var bench = await Bench.StartAsync();

        Assert.All(BackgroundTaskTools.For(bench.Manager, "t1"), tool =>
        {
            Assert.InRange(tool.Description.Length, 100, 700);
            Assert.Equal("object", tool.JsonSchema.Text("type"));
            Assert.False(tool.JsonSchema.GetProperty("additionalProperties").GetBoolean());
        });
        Assert.All(
            (string[])["list_tasks", "get_task"],
            name => Assert.Contains("again and again", bench.Tool(name).Description, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Relations_are_a_choice_told_apart_by_a_fixed_word()
    {
        await using var bench = await Bench.StartAsync();

        Assert.Equal(["self", "child"], Relations(bench.Tool("cancel_task").JsonSchema, "target"));
        Assert.Equal(["child", "parent", "agent"], Relations(bench.Tool("send_message").JsonSchema, "to"));

        static IEnumerable<string> Relations(JsonElement schema, string property) =>
            schema.GetProperty("properties").GetProperty(property).GetProperty("oneOf").EnumerateArray()
                .Select(branch => branch.GetProperty("properties").GetProperty("relation").Text("const"));
    }

    [Fact]
    public async Task Options_out_of_range_are_refused_by_name()
    {
        await using var bench = await Bench.StartAsync();

        AssertRefused("MaxWait", new() { MaxWait = TimeSpan.Zero });
        AssertRefused("MaxWait", new() { MaxWait = TimeSpan.FromDays(2) });
        AssertRefused("ResultPageChars", new() { ResultPageChars = 99 });
        AssertRefused("ResultPageChars", new() { ResultPageChars = 100_001 });
        AssertRefused("Exclude", new() { Exclude = ["cancel"] });
        AssertRefused("Exclude", new() { Exclude = null! });
        Assert.Throws<ArgumentNullException>(() => BackgroundTaskTools.For(null!, "t1"));
        Assert.Throws<ArgumentException>(() => BackgroundTaskTools.For(bench.Manager, ""));

        void AssertRefused(string option, BackgroundTaskToolOptions options) => Assert.Contains(
            option, Assert.Throws<ArgumentException>(() => BackgroundTaskTools.For(bench.Manager, "t1", options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_are_copied()
    {
        await using var bench = await Bench.StartAsync();
        var options = new BackgroundTaskToolOptions { RunId = "run-1" };
        var tool = bench.Tool("cancel_task", options: options);
        options.RunId = null;

        Assert.Equal("run-1", (await tool.CallAsync("""{"target":{"relation":"self"}}""")).Text("root_task_id"));
    }
}
