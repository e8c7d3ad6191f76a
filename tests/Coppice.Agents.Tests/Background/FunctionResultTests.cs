using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Coppice.StoreContract;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

public sealed partial class FunctionResultTests
{
    public static TheoryData<string> Kinds => ["text", "null", "element", "document", "node", "content", "contents", "record", "outcome", "undefined"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Whatever_a_function_returns_becomes_json(string kind)
    {
        using var document = JsonDocument.Parse("""{"b":1.50,"a":[]}""");
        (object? Value, string Json) result = kind switch
        {
            "text" => ("a\"b", "\"a\\u0022b\""),
            "element" => (document.RootElement, """{"b":1.50,"a":[]}"""),
            "document" => (document, """{"b":1.50,"a":[]}"""),
            "node" => (JsonNode.Parse("""{"b":1.50,"a":[]}"""), """{"b":1.50,"a":[]}"""),
            "content" => (new TextContent("hi"), """{"$type":"text","text":"hi"}"""),
            "contents" => (
                new AIContent[] { new TextContent("hi"), new UriContent("https://example.org/a.png", "image/png") },
                """[{"$type":"text","text":"hi"},{"$type":"uri","uri":"https://example.org/a.png","mediaType":"image/png"}]"""),
            "record" => (new Point(1, 2), """{"X":1,"Y":2}"""),
            "outcome" => (TaskOutcome.Success(document.RootElement), """{"b":1.50,"a":[]}"""),
            "undefined" => (default(JsonElement), "null"),
            _ => (null, "null"),
        };

        var task = await RunAsync(new Returning(result.Value, Points.Default.Options));

        Assert.Equal(TaskState.Completed, task.State);
        var json = task.Result!.Value;
        Assert.True(JsonElement.DeepEquals(JsonElement.Parse(result.Json), json), json.GetRawText());
    }

    [Fact]
    public async Task The_functions_own_options_write_the_result()
    {
        var task = await RunAsync(new Returning(new Point(1, 2), new JsonSerializerOptions(Points.Default.Options) { PropertyNamingPolicy = JsonNamingPolicy.KebabCaseUpper }));

        Assert.Equal("""{"X":1,"Y":2}""", task.Result!.Value.GetRawText());
    }

    [Theory]
    [InlineData("{\n  \"a b\" : [ 1.50,\r\n\t\"x \\\" y\\\\\" , { } ]\n}", """{"a b":[1.50,"x \" y\\",{}]}""")]
    [InlineData("\n1 ", "1")]
    [InlineData("""{ "kept": "as it is\n" }""", """{ "kept": "as it is\n" }""")]
    public void Indentation_is_taken_out_and_nothing_else(string json, string compact) =>
        Assert.Equal(compact, CompactJson.Of(JsonElement.Parse(json)).GetRawText());

    [Fact]
    public async Task What_cannot_be_json_is_a_failure_that_says_so()
    {
        var unknown = await RunAsync(new Returning(new Uri("https://example.org"), Points.Default.Options));
        var odd = await RunAsync(new Returning(new Unwritable(), new JsonSerializerOptions(JsonSerializerDefaults.Web) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() }));
        var tooLarge = await RunAsync(new Returning(new string('x', 2_000_000), AIJsonUtilities.DefaultOptions));

        Assert.Equal(TaskState.Failed, unknown.State);
        Assert.Contains("Uri cannot be written as JSON", unknown.Error, StringComparison.Ordinal);
        Assert.Equal((TaskState.Failed, "The result cannot be stored: Unwritable cannot be written as JSON. It is odd."), (odd.State, odd.Error));
        Assert.Equal(TaskState.Failed, tooLarge.State);
        Assert.Contains("MaxResultBytes", tooLarge.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_may_decide_its_tasks_outcome()
    {
        var task = await RunAsync(new Returning(TaskOutcome.Failure("not today"), AIJsonUtilities.DefaultOptions));

        Assert.Equal((TaskState.Failed, "not today"), (task.State, task.Error));
    }

    private static async Task<TaskSnapshot> RunAsync(AIFunction function)
    {
        await using var bench = await Bench.StartAsync();
        var answer = await function.InBackground(bench.Manager, "t1").CallAsync("{}");
        return await bench.Manager.WaitAsync(answer.Text("task_id"), Bench.Stop);
    }

    private sealed class Returning(object? result, JsonSerializerOptions options) : AIFunction
    {
        public override string Name => "return";

        public override JsonSerializerOptions JsonSerializerOptions { get; } = options;

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => new(result);
    }

    internal sealed record Point(int X, int Y);

    [JsonSerializable(typeof(Point))]
    [JsonSerializable(typeof(string))]
    private sealed partial class Points : JsonSerializerContext;
}
