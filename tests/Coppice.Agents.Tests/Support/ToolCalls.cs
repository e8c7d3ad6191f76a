using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

/// <summary>Calling tools and reading what they answer.</summary>
internal static class ToolCalls
{
    internal static AIFunctionArguments Arguments(string json) =>
        new(JsonElement.Parse(json).EnumerateObject().ToDictionary(each => each.Name, each => (object?)each.Value));

    internal static Task<JsonElement> CallAsync(this AIFunction tool, string arguments) => tool.CallAsync(Arguments(arguments));

    internal static async Task<JsonElement> CallAsync(this AIFunction tool, AIFunctionArguments arguments, CancellationToken? stop = null) =>
        Assert.IsType<JsonElement>(await tool.InvokeAsync(arguments, stop ?? TestContext.Current.CancellationToken));

    internal static string Text(this JsonElement answer, string property) => answer.GetProperty(property).GetString()!;

    internal static bool Has(this JsonElement answer, string property) => answer.TryGetProperty(property, out _);

    internal static string[] Ids(this JsonElement answer, string property) =>
        [.. answer.GetProperty(property).EnumerateArray().Select(task => task.Text("task_id"))];

    /// <summary>Asserts that an answer is the JSON text, character by character.</summary>
    internal static void IsExactly(this JsonElement answer, string json) => Assert.Equal(json, answer.GetRawText());

    internal static void IsError(this JsonElement answer, string code, string about)
    {
        Assert.Equal(["error", "message"], answer.EnumerateObject().Select(each => each.Name));
        Assert.Equal(code, answer.Text("error"));
        Assert.Contains(about, answer.Text("message"), StringComparison.Ordinal);
    }
}
