using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using Coppice.Samples.ResearchTeam;
using Coppice.Samples.Tests.Support;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Coppice.Samples.Tests.ResearchTeam;

/// <summary>The adapter against a real server that speaks the protocol.</summary>
public sealed class OpenAIChatClientTests
{
    private static readonly AIFunction Weather = AIFunctionFactory.Create((string city) => $"Rain in {city}", "weather", "Tells the weather.");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_has_its_text_ids_usage_and_finish_reason()
    {
        await using var server = CompletionsServer.Start(Completions.Text("Hello."));

        var response = await Client(server).GetResponseAsync("Hi", null, Stop);

        Assert.Equal("Hello.", response.Text);
        Assert.Equal(("chatcmpl-1", "tiny-1", ChatFinishReason.Stop), (response.ResponseId, response.ModelId, response.FinishReason));
        var usage = response.Usage!;
        Assert.Equal((11, 7, 18, 3, 2),
            (usage.InputTokenCount, usage.OutputTokenCount, usage.TotalTokenCount, usage.CachedInputTokenCount, usage.ReasoningTokenCount));
        Assert.Equal("Bearer secret", Assert.Single(server.Keys));
        Assert.Equal("tiny-1", Assert.Single(server.Requests).GetProperty("model").GetString());
    }

    [Fact]
    public async Task Messages_of_all_roles_reach_the_model_in_their_order()
    {
        await using var server = CompletionsServer.Start(Completions.Text("Done."));
        ChatMessage[] messages =
        [
            new(ChatRole.System, "Be kind."),
            new(ChatRole.User, [new TextContent("Look at"), new DataContent(new byte[] { 1, 2, 3 }, "image/png")]),
            new(ChatRole.Assistant,
                [new TextContent("I ask."), new FunctionCallContent("c1", "weather", new Dictionary<string, object?> { ["city"] = "Graz" })]),
            new(ChatRole.Tool, [new FunctionResultContent("c1", "Rain"), new FunctionResultContent("c2", JsonElement.Parse("""{"ok":true}"""))]),
            new(ChatRole.Assistant, [new TextReasoningContent("thinking")]),
            new(ChatRole.Assistant, "It rains."),
        ];

        await Client(server).GetResponseAsync(messages, new() { Instructions = "Be short." }, Stop);

        var sent = server.Requests[0].GetProperty("messages").EnumerateArray().ToList();
        Assert.Equal(["system", "system", "user", "assistant", "tool", "tool", "assistant"], sent.Select(m => m.GetProperty("role").GetString()));
        Assert.Equal("Be short.", TextOf(sent[0]));
        Assert.Equal("data:image/png;base64,AQID", sent[2].GetProperty("content")[1].GetProperty("image_url").GetProperty("url").GetString());
        var call = sent[3].GetProperty("tool_calls")[0];
        Assert.Equal("c1", call.GetProperty("id").GetString());
        Assert.Equal("""{"city":"Graz"}""", Compact(call.GetProperty("function").GetProperty("arguments").GetString()!));
        Assert.Equal(("c1", "Rain"), (sent[4].GetProperty("tool_call_id").GetString(), TextOf(sent[4])));
        Assert.Equal("""{"ok":true}""", Compact(TextOf(sent[5])));
    }

    [Fact]
    public async Task Functions_choice_and_settings_reach_the_model()
    {
        await using var server = CompletionsServer.Start(Completions.Text("Done."));

        await Client(server).GetResponseAsync("Hi", new()
        {
            ModelId = "other-1",
            Tools = [Weather],
            ToolMode = ChatToolMode.RequireSpecific("weather"),
            AllowMultipleToolCalls = false,
            Temperature = 0.5f,
            MaxOutputTokens = 99,
            StopSequences = ["END"],
        }, Stop);

        var sent = server.Requests[0];
        var function = sent.GetProperty("tools")[0].GetProperty("function");
        Assert.Equal(("weather", "Tells the weather."), (function.GetProperty("name").GetString(), function.GetProperty("description").GetString()));
        Assert.Equal("string", function.GetProperty("parameters").GetProperty("properties").GetProperty("city").GetProperty("type").GetString());
        Assert.Equal("weather", sent.GetProperty("tool_choice").GetProperty("function").GetProperty("name").GetString());
        Assert.False(sent.GetProperty("parallel_tool_calls").GetBoolean());
        Assert.Equal("other-1", sent.GetProperty("model").GetString());
        Assert.Equal(0.5, sent.GetProperty("temperature").GetDouble());
        Assert.Equal(99, sent.GetProperty("max_completion_tokens").GetInt32());
        Assert.Equal("END", sent.GetProperty("stop")[0].GetString());
    }

    [Fact]
    public async Task A_schema_for_the_answer_reaches_the_model()
    {
        await using var server = CompletionsServer.Start(Completions.Text("""{"year":1940}"""));
        var schema = JsonElement.Parse("""{"type":"object","properties":{"year":{"type":"integer"}}}""");

        await Client(server).GetResponseAsync("When?", new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema, "result") }, Stop);

        var format = server.Requests[0].GetProperty("response_format");
        Assert.Equal("json_schema", format.GetProperty("type").GetString());
        Assert.Equal("result", format.GetProperty("json_schema").GetProperty("name").GetString());
        Assert.Equal("integer",
            format.GetProperty("json_schema").GetProperty("schema").GetProperty("properties").GetProperty("year").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Calls_of_functions_come_with_their_arguments_and_unreadable_ones_with_what_is_wrong()
    {
        await using var server = CompletionsServer.Start(
            Completions.Calls(("c1", "weather", """{"city":"Graz"}"""), ("c2", "weather", """{"city":"""), ("c3", "weather", "")));

        var response = await Client(server).GetResponseAsync("Hi", new() { Tools = [Weather] }, Stop);

        var calls = response.Messages[0].Contents.OfType<FunctionCallContent>().ToList();
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        Assert.Equal(["c1", "c2", "c3"], calls.Select(call => call.CallId));
        Assert.Equal("Graz", calls[0].Arguments!["city"]?.ToString());
        Assert.NotNull(calls[1].Exception);
        Assert.Null(calls[2].Exception);
    }

    [Fact]
    public async Task A_refusal_is_no_text()
    {
        await using var server = CompletionsServer.Start(
            Completions.Message("""{"role":"assistant","content":null,"refusal":"No."}""", "stop"));

        var response = await Client(server).GetResponseAsync("Hi", null, Stop);

        Assert.Equal("", response.Text);
        Assert.Equal("No.", Assert.Single(response.Messages[0].Contents.OfType<ErrorContent>()).Message);
    }

    [Fact]
    public async Task A_stream_brings_text_as_it_comes_calls_when_they_are_whole_and_usage()
    {
        await using var server = CompletionsServer.Start(Reply.Events(
            Completions.Chunk("""{"role":"assistant","content":"It "}"""),
            Completions.Chunk("""{"content":"rains."}"""),
            Completions.Chunk("""{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"ci"}}]}"""),
            Completions.Chunk("""{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"weather","arguments":""}}]}"""),
            Completions.Chunk("""{"tool_calls":[{"index":0,"function":{"arguments":"ty\":\"Graz\"}"}}]}"""),
            Completions.Chunk("{}", "tool_calls"),
            Completions.UsageChunk,
            "[DONE]"));

        var updates = await Client(server).GetStreamingResponseAsync("Hi", new() { Tools = [Weather] }, Stop).ToListAsync(Stop);

        Assert.Equal(["It ", "rains."], updates.Select(update => update.Text).Where(text => text.Length > 0));
        var response = updates.ToChatResponse();
        var calls = Assert.Single(response.Messages).Contents.OfType<FunctionCallContent>().ToList();
        Assert.Equal(["c1", "c2"], calls.Select(call => call.CallId));
        Assert.Equal("Graz", calls[0].Arguments!["city"]?.ToString());
        Assert.Equal((ChatFinishReason.ToolCalls, 7L, "chatcmpl-2"), (response.FinishReason, response.Usage!.TotalTokenCount, response.ResponseId));
        Assert.True(server.Requests[0].GetProperty("stream").GetBoolean());
        Assert.True(server.Requests[0].GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
    }

    [Theory]
    [InlineData(401, "wrong key")]
    [InlineData(429, "too fast")]
    [InlineData(500, "on fire")]
    public async Task A_refused_call_says_with_which_status_and_why(int status, string why)
    {
        await using var server = CompletionsServer.Start(Completions.Error(status, why));
        var client = Client(server);

        var whole = await Assert.ThrowsAsync<ModelException>(() => client.GetResponseAsync("Hi", null, Stop));
        var streamed = await Assert.ThrowsAsync<ModelException>(async () => await client.GetStreamingResponseAsync("Hi", null, Stop).ToListAsync(Stop));

        Assert.Equal((status, status), (whole.Status, streamed.Status));
        Assert.Contains(why, whole.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"choices\":")]
    [InlineData("<html>Bad gateway</html>")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"choices":[]}""")]
    [InlineData("""{"choices":[{"index":0,"finish_reason":"because","message":{"role":"assistant","content":"x"}}]}""")]
    [InlineData("""{"choices":[{"index":0,"finish_reason":"stop","message":7}]}""")]
    public async Task What_is_no_chat_completion_is_one_kind_of_error(string body)
    {
        await using var server = CompletionsServer.Start(new Reply(body));

        var error = await Assert.ThrowsAsync<ModelException>(() => Client(server).GetResponseAsync("Hi", null, Stop));

        Assert.Null(error.Status);
        Assert.Contains("no chat completion", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"choices\":")]
    [InlineData("7")]
    public async Task A_stream_that_breaks_into_nonsense_is_the_same_kind_of_error(string data)
    {
        await using var server = CompletionsServer.Start(Reply.Events(Completions.Chunk("""{"content":"It "}"""), data));
        var texts = new List<string>();

        var error = await Assert.ThrowsAsync<ModelException>(async () =>
        {
            await foreach (var update in Client(server).GetStreamingResponseAsync("Hi", null, Stop))
            {
                texts.Add(update.Text);
            }
        });

        Assert.Contains("It ", texts);
        Assert.Contains("no chat completion", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_that_is_not_there_is_an_error_that_says_so()
    {
        Uri gone;
        await using (var server = CompletionsServer.Start(Completions.Text("")))
        {
            gone = server.BaseUrl;
        }

        var error = await Assert.ThrowsAsync<ModelException>(() => Client(gone).GetResponseAsync("Hi", null, Stop));

        Assert.Null(error.Status);
        Assert.Contains("cannot be reached", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_cancelled_call_ends_as_cancelled(bool isStreamed)
    {
        await using var server = CompletionsServer.Start(new Reply("") { Never = true });
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var call = isStreamed
            ? Client(server).GetStreamingResponseAsync("Hi", null, cancellation.Token).ToListAsync(Stop).AsTask()
            : (Task)Client(server).GetResponseAsync("Hi", null, cancellation.Token);
        await server.Asked.WaitAsync(Stop);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task A_passing_fault_is_tried_again()
    {
        await using var server = CompletionsServer.Start(Completions.Error(429, "too fast"), Completions.Text("Now."));

        var response = await Client(server.BaseUrl, retries: 2).GetResponseAsync("Hi", null, Stop);

        Assert.Equal("Now.", response.Text);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_users_file_that_is_no_image_is_refused_before_anything_is_sent()
    {
        await using var server = CompletionsServer.Start(Completions.Text(""));
        var message = new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "application/zip")]);

        await Assert.ThrowsAsync<NotSupportedException>(() => Client(server).GetResponseAsync([message], null, Stop));

        Assert.Empty(server.Requests);
    }

    [Fact]
    public void It_says_what_it_is()
    {
        using IChatClient client = Client(new Uri("http://localhost:1/v1"));

        Assert.Equal("tiny-1", client.GetService<ChatClientMetadata>()?.DefaultModelId);
        Assert.Same(client, client.GetService<IChatClient>());
        Assert.Null(client.GetService<string>());
    }

    private static OpenAIChatClient Client(CompletionsServer server) => Client(server.BaseUrl);

    private static OpenAIChatClient Client(Uri endpoint, int retries = 0) => new(
        new OpenAIClient(new ApiKeyCredential("secret"), new OpenAIClientOptions { Endpoint = endpoint, RetryPolicy = new ClientRetryPolicy(retries) }),
        endpoint, "tiny-1");

    private static string TextOf(JsonElement message) => message.GetProperty("content") is { ValueKind: JsonValueKind.String } text
        ? text.GetString()!
        : string.Concat(message.GetProperty("content").EnumerateArray().Select(part => part.GetProperty("text").GetString()));

    private static string Compact(string json) => JsonSerializer.Serialize(JsonElement.Parse(json));
}
