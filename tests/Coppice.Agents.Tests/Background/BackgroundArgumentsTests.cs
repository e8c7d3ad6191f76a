using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

public sealed class BackgroundArgumentsTests
{
    [Fact]
    public async Task What_the_caller_changes_afterwards_the_task_does_not_see()
    {
        await using var bench = await Bench.StartAsync();
        var call = new Held();
        using var document = JsonDocument.Parse("""{"a":[1]}""");
        var list = new List<object?> { 1, new Dictionary<string, object?> { ["x"] = 1 } };
        var node = new JsonArray(1);
        var context = new Dictionary<object, object?> { ["k"] = "before" };
        var arguments = new AIFunctionArguments(new Dictionary<string, object?>
        {
            ["element"] = document.RootElement, ["document"] = document, ["node"] = node, ["list"] = list, ["array"] = new object?[] { list }, ["text"] = "before",
        })
        {
            Context = context,
        };

        var answer = await call.InBackground(bench.Manager, "t1").CallAsync(arguments);
        document.Dispose();
        node.Add(2);
        ((Dictionary<string, object?>)list[1]!)["x"] = 2;
        list.Add(3);
        context["k"] = "after";
        arguments["text"] = "after";
        arguments.Remove("element");
        call.Go.SetResult();
        await bench.Manager.WaitAsync(answer.Text("task_id"), Bench.Stop);

        var seen = call.Seen!;
        Assert.NotSame(arguments, seen);
        Assert.Equal("before", seen["text"]);
        Assert.Equal("before", seen.Context!["k"]);
        Assert.Equal("""{"a":[1]}""", ((JsonElement)seen["element"]!).GetRawText());
        Assert.Equal("""{"a":[1]}""", ((JsonElement)seen["document"]!).GetRawText());
        Assert.Equal("[1]", ((JsonNode)seen["node"]!).ToJsonString());
        var copied = Assert.IsType<List<object?>>(seen["list"]);
        Assert.Equal(2, copied.Count);
        Assert.Equal(1, Assert.IsType<Dictionary<string, object?>>(copied[1])["x"]);
        Assert.Equal(2, Assert.IsType<List<object?>>(Assert.IsType<object?[]>(seen["array"])[0]).Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_for_the_wrapper_does_not_reach_the_function(bool inBackground)
    {
        await using var bench = await Bench.StartAsync();
        var call = new Held();
        call.Go.SetResult();
        var background = call.InBackground(bench.Manager, "t1", new() { Mode = BackgroundMode.ModelDecides, AllowTaskName = true });
        var arguments = new AIFunctionArguments { ["city"] = "Oslo", ["task_name"] = "north", ["run_in_background"] = inBackground };

        var answer = await background.InvokeAsync(arguments, Bench.Stop);
        if (inBackground)
        {
            await bench.Manager.WaitAsync(((JsonElement)answer!).Text("task_id"), Bench.Stop);
        }

        Assert.Equal(["city"], call.Seen!.Keys);
        Assert.Equal(3, arguments.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Names_are_compared_as_the_caller_does(bool ignoresCase)
    {
        await using var bench = await Bench.StartAsync();
        var call = new Held();
        call.Go.SetResult();
        var arguments = new AIFunctionArguments(ignoresCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal) { ["City"] = 1 };
        if (!ignoresCase)
        {
            arguments["CITY"] = 2;
        }

        var answer = await call.InBackground(bench.Manager, "t1").CallAsync(arguments);
        await bench.Manager.WaitAsync(answer.Text("task_id"), Bench.Stop);

        Assert.Equal(ignoresCase, call.Seen!.ContainsKey("city"));
        Assert.Equal(arguments.Count, call.Seen.Count);
    }

    [Fact]
    public async Task Collections_that_hold_themselves_are_refused()
    {
        await using var bench = await Bench.StartAsync();
        var list = new List<object?>();
        list.Add(list);

        var answer = await new Held().InBackground(bench.Manager, "t1").CallAsync(new AIFunctionArguments { ["list"] = list });

        Assert.Equal(("failed", "invalid_arguments"), (answer.Text("status"), answer.Text("error")));
    }

    /// <summary>A function that keeps its arguments, and looks at them only when it is told to.</summary>
    private sealed class Held : AIFunction
    {
        public override string Name => "held";

        public TaskCompletionSource Go { get; } = new();

        public AIFunctionArguments? Seen { get; private set; }

        protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
        {
            await Go.Task;
            Seen = arguments;
            return null;
        }
    }
}
