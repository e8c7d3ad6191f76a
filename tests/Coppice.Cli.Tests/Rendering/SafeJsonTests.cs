using System.Text.Json;
using Coppice.Cli.Rendering;

namespace Coppice.Cli.Tests.Rendering;

public sealed class SafeJsonTests
{
    [Fact]
    public void What_a_terminal_might_act_on_is_escaped_and_means_the_same()
    {
        const string json = "{\"a\":\"\u009b31m\u202e\u007f\U000e0041é\"}";
        var escaped = SafeJson.Escape(json);

        Assert.Equal("{\"a\":\"\\u009b31m\\u202e\\u007f\\udb40\\udc41é\"}", escaped);
        using var before = JsonDocument.Parse(json);
        using var after = JsonDocument.Parse(escaped);
        Assert.Equal(before.RootElement.GetProperty("a").GetString(), after.RootElement.GetProperty("a").GetString());
    }

    [Fact]
    public void A_text_that_needs_nothing_is_handed_back_as_it_is()
    {
        const string json = "{\"a\":[1,2,\"é\"]}\n";

        Assert.Same(json, SafeJson.Escape(json));
    }

    [Fact]
    public void A_task_is_written_as_on_the_wire()
    {
        using var result = JsonDocument.Parse("{\"z\":1.50,\"a\":null}");
        var task = new TaskSnapshot { TaskId = "bg_1", OwnerThreadId = "t", State = TaskState.Completed, Result = result.RootElement };

        Assert.Contains("\"result\":{\"z\":1.50,\"a\":null}", SafeJson.OfTask(task), StringComparison.Ordinal);
        Assert.Contains("\"parent_context\":{}", SafeJson.OfTask(task), StringComparison.Ordinal);
    }
}
