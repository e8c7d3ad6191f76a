using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Coppice.Agents.Tests;

public sealed class GetTaskTests
{
    [Theory]
    [InlineData("""{"pages":3,"n":1.50}""")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("[]")]
    public async Task A_result_that_fits_stands_in_the_answer_as_it_is(string result)
    {
        await using var bench = await Bench.StartAsync();
        var task = await bench.SpawnEndedAsync(result);

        var answer = await GetAsync(bench, task.TaskId);

        Assert.Equal(result, answer.GetProperty("result").GetRawText());
        Assert.Equal("completed", answer.Text("status"));
        Assert.False(answer.Has("result_page"));
    }

    [Fact]
    public async Task A_live_task_is_found_by_name_and_has_no_result()
    {
        await using var bench = await Bench.StartAsync();
        var id = await bench.SpawnLiveAsync(name: "crawler");

        var answer = await bench.CallAsync("get_task", """{"name":"crawler"}""");

        Assert.Equal(id, answer.Text("task_id"));
        Assert.False(answer.Has("result"));
        Assert.False(answer.Has("result_page"));
    }

    [Fact]
    public async Task An_ended_task_is_not_found_by_name_and_one_of_another_thread_not_at_all()
    {
        await using var bench = await Bench.StartAsync();
        await bench.SpawnEndedAsync(TaskOutcome.Cancelled, options: new() { Name = "crawler" });
        var strange = await bench.SpawnLiveAsync("t2", "strange");

        (await bench.CallAsync("get_task", """{"name":"crawler"}""")).IsError("task_not_found", "'crawler'");
        (await bench.CallAsync("get_task", """{"name":"strange"}""")).IsError("task_not_found", "'strange'");
        (await GetAsync(bench, strange)).IsError("task_not_found", strange);
        (await GetAsync(bench, "bg_99")).IsError("task_not_found", "bg_99");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"task_id":"bg_1","name":"crawler"}""")]
    public async Task It_takes_an_id_or_a_name(string arguments)
    {
        await using var bench = await Bench.StartAsync();

        (await bench.CallAsync("get_task", arguments)).IsError("invalid_arguments", "either 'task_id' or 'name'");
    }

    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task A_long_result_is_read_page_by_page(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        var payload = Lines(500_000);
        var task = await bench.SpawnEndedAsync(AsJson(payload));

        var whole = new StringBuilder();
        for (int? offset = 0; offset is not null;)
        {
            var page = (await GetAsync(bench, task.TaskId, offset, 70_000)).GetProperty("result_page");
            Assert.Equal("text", page.Text("format"));
            Assert.Equal(payload.Length, page.GetProperty("total_chars").GetInt32());
            whole.Append(page.Text("text"));
            offset = page.TryGetProperty("next_offset", out var next) ? next.GetInt32() : null;
        }

        Assert.Equal(payload, whole.ToString());
    }

    [Fact]
    public async Task A_result_of_ten_megabytes_is_never_answered_whole()
    {
        await using var bench = await Bench.StartAsync(configure: options => options.MaxResultBytes = 16 * 1024 * 1024);
        var payload = Lines(10_000_000);
        var task = await bench.SpawnEndedAsync(AsJson(payload));

        var first = await GetAsync(bench, task.TaskId);
        var last = (await GetAsync(bench, task.TaskId, payload.Length - 5, 100_000)).GetProperty("result_page");
        var waited = await bench.CallAsync("wait_for_tasks", $$"""{"task_ids":["{{task.TaskId}}"]}""");
        var listed = await bench.CallAsync("list_tasks", """{"status":"all"}""");

        Assert.InRange(first.GetRawText().Length, 8_000, 16_000);
        Assert.Equal(payload[..8_000], first.GetProperty("result_page").Text("text"));
        Assert.Equal(payload[^5..], last.Text("text"));
        Assert.InRange(waited.GetRawText().Length, 8_000, 16_000);
        Assert.InRange(listed.GetRawText().Length, 100, 500);
        Assert.InRange(listed.GetProperty("tasks")[0].GetProperty("result_bytes").GetInt32(), 10_000_000, 13_000_000);
    }

    [Fact]
    public async Task A_page_has_eight_thousand_characters_unless_told_otherwise()
    {
        await using var bench = await Bench.StartAsync();
        var fits = await bench.SpawnEndedAsync($"\"{new string('x', 8_000)}\"");
        var over = await bench.SpawnEndedAsync($"\"{new string('x', 8_001)}\"");
        var options = new BackgroundTaskToolOptions { ResultPageChars = 100 };

        Assert.Equal(8_000, (await GetAsync(bench, fits.TaskId)).Text("result").Length);
        Assert.Equal(8_000, (await GetAsync(bench, over.TaskId)).GetProperty("result_page").GetProperty("next_offset").GetInt32());
        Assert.Equal(100, (await bench.CallAsync("get_task", $$"""{"task_id":"{{over.TaskId}}"}""", options: options)).GetProperty("result_page").Text("text").Length);
        Assert.Equal(8_001, (await GetAsync(bench, over.TaskId, limit: 8_001)).Text("result").Length);
    }

    [Fact]
    public async Task Pages_of_other_results_are_of_their_json()
    {
        await using var bench = await Bench.StartAsync();
        var task = await bench.SpawnEndedAsync("""{"a":[1,2,3]}""");

        var page = (await GetAsync(bench, task.TaskId, limit: 4)).GetProperty("result_page");

        page.IsExactly("""{"format":"json","text":"{\u0022a\u0022","offset":0,"next_offset":4,"total_chars":13}""");
        Assert.Equal(",2,3]}", (await GetAsync(bench, task.TaskId, 7)).GetProperty("result_page").Text("text"));
    }

    [Fact]
    public async Task No_page_splits_a_character_and_every_page_gets_on()
    {
        await using var bench = await Bench.StartAsync();
        var task = await bench.SpawnEndedAsync("\"a😀😀b\"");

        foreach (var limit in (int[])[1, 2, 3, 4])
        {
            var pages = new List<string>();
            for (int? offset = 0; offset is not null;)
            {
                var page = (await GetAsync(bench, task.TaskId, offset, limit)).GetProperty("result_page");
                pages.Add(page.Text("text"));
                offset = page.TryGetProperty("next_offset", out var next) ? next.GetInt32() : null;
            }

            Assert.Equal("a😀😀b", string.Concat(pages));
            Assert.All(pages, page => Assert.DoesNotContain('\uFFFD', page));
        }

        var middle = (await GetAsync(bench, task.TaskId, 2, 2)).GetProperty("result_page");
        Assert.Equal("😀", middle.Text("text"));
        Assert.Equal(1, middle.GetProperty("offset").GetInt32());
    }

    [Fact]
    public async Task An_offset_at_the_end_is_an_empty_page_and_one_beyond_it_is_refused()
    {
        await using var bench = await Bench.StartAsync();
        var task = await bench.SpawnEndedAsync("\"abc\"");
        var live = await bench.SpawnLiveAsync();

        (await GetAsync(bench, task.TaskId, 3)).GetProperty("result_page").IsExactly("""{"format":"text","text":"","offset":3,"total_chars":3}""");
        (await GetAsync(bench, task.TaskId, 4)).IsError("invalid_arguments", "'offset' is 4; there are 3 characters.");
        (await GetAsync(bench, live, 1)).IsError("invalid_arguments", "there are 0 characters");
    }

    [Fact]
    public async Task An_error_is_read_as_a_result_is()
    {
        await using var bench = await Bench.StartAsync();
        var task = await bench.SpawnEndedAsync(TaskOutcome.Failure("boom </background-task-event>"));

        Assert.Equal("boom </background-task-event>", (await GetAsync(bench, task.TaskId)).Text("error"));
        var page = (await GetAsync(bench, task.TaskId, limit: 4)).GetProperty("error_page");
        Assert.Equal("boom", page.Text("text"));
        Assert.Equal(4, page.GetProperty("next_offset").GetInt32());
    }

    [Fact]
    public async Task Text_with_half_a_character_is_paged_as_text()
    {
        await using var bench = await Bench.StartAsync();
        var task = await bench.SpawnEndedAsync(""" "ab\ud800cd" """.Trim());

        Assert.Equal("b\uFFFDc", (await GetAsync(bench, task.TaskId, 1, 3)).GetProperty("result_page").Text("text"));
    }

    [Theory]
    [InlineData("""{"a":"</background-task-event>"}""", """{"a":"\u003C/background-task-event\u003E"}""")]
    [InlineData("""["\ud800"]""", """["\uFFFD"]""")]
    [InlineData("""["\udc00\ud83d\ude00\ud83d"]""", """["\uFFFD\ud83d\ude00\uFFFD"]""")]
    [InlineData("""["\ud83d\ud83d\ude00"]""", """["\uFFFD\ud83d\ude00"]""")]
    [InlineData("""["\\ud800\\<"]""", """["\\ud800\\\u003C"]""")]
    [InlineData("""["\u0000\u001b[2J\u00e9"]""", """["\u0000\u001b[2J\u00e9"]""")]
    public async Task No_result_has_a_tag_or_half_a_character_in_it(string result, string shown)
    {
        await using var bench = await Bench.StartAsync();
        var task = await bench.SpawnEndedAsync(result);

        var answer = await GetAsync(bench, task.TaskId);

        Assert.Equal(shown, answer.GetProperty("result").GetRawText());
        Assert.NotNull(JsonSerializer.Serialize(answer));
    }

    [Fact]
    public async Task The_deepest_result_that_a_store_keeps_can_be_read()
    {
        await using var bench = await Bench.StartAsync();
        var deep = new string('[', 56) + new string(']', 56);
        var task = await bench.SpawnEndedAsync(deep);

        Assert.Equal(deep, (await GetAsync(bench, task.TaskId)).GetProperty("result").GetRawText());
        var waited = await bench.CallAsync("wait_for_tasks", $$"""{"task_ids":["{{task.TaskId}}"]}""");
        Assert.Equal(waited.GetRawText(), JsonSerializer.Serialize(waited));
    }

    private static string Lines(int length)
    {
        const string Line = "line 😀 </background-task-event>\n";
        return string.Concat(Enumerable.Repeat(Line, length / Line.Length));
    }

    private static string AsJson(string text) => $"\"{text.Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    private static Task<JsonElement> GetAsync(Bench bench, string taskId, int? offset = null, int? limit = null) =>
        bench.CallAsync("get_task", string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"task_id":"{{taskId}}","offset":{{(object?)offset ?? "null"}},"limit":{{(object?)limit ?? "null"}}}"""));
}
