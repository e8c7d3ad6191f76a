using System.Text.Json;

namespace Coppice.Samples.Tests.Support;

/// <summary>Answers of the protocol.</summary>
internal static class Completions
{
    internal static Reply Text(string text, string finish = "stop") => Message(
        $$$"""{"role":"assistant","content":{{{Json(text)}}}}""", finish);

    internal static Reply Calls(params (string Id, string Name, string Arguments)[] calls) => Message(
        $$$"""{"role":"assistant","content":null,"tool_calls":[{{{string.Join(',', calls.Select(Call))}}}]}""", "tool_calls");

    internal static Reply Message(string message, string finish) => new(
        $$$"""
        {"id":"chatcmpl-1","object":"chat.completion","created":1780000000,"model":"tiny-1",
         "choices":[{"index":0,"message":{{{message}}},"finish_reason":"{{{finish}}}"}],
         "usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18,
          "prompt_tokens_details":{"cached_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}
        }
        """);

    internal static string Chunk(string delta, string? finish = null)
    {
        var reason = finish is null ? "null" : Json(finish);
        return $$$"""{"id":"chatcmpl-2","created":1780000000,"model":"tiny-1","choices":[{"index":0,"delta":{{{delta}}},"finish_reason":{{{reason}}}}]}""";
    }

    internal static string UsageChunk { get; } =
        """{"id":"chatcmpl-2","created":1780000000,"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}""";

    internal static Reply Error(int status, string message) => new(
        $$$"""{"error":{"message":{{{Json(message)}}},"type":"test","code":null}}""") { Status = status };

    internal static string Json(string text) => JsonSerializer.Serialize(text);

    private static string Call((string Id, string Name, string Arguments) call) =>
        $$$"""{"id":{{{Json(call.Id)}}},"type":"function","function":{"name":{{{Json(call.Name)}}},"arguments":{{{Json(call.Arguments)}}}}}""";
}
