using System.Text.Json;
using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.EndToEnd;

public sealed class SurveyTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_survey_counts_what_is_there_and_leaves_its_tasks_in_the_store()
    {
        _folder.File("src/a.cs", "1\n2\n3\n");
        _folder.File("src/deep/er/and/deeper/b.cs", "1\n");
        _folder.File("docs/c.md", "x");
        _folder.File("bin/skipped.dll", "x");
        _folder.File("readme", "hello\n");
        var report = await CliProcess.JsonAsync(_folder.Path, "survey", ".", "--json", "--depth", "2");

        Assert.Equal("completed", report.GetProperty("status").GetString());
        Assert.Equal("bg_0", report.GetProperty("task_id").GetString());
        var totals = report.GetProperty("totals");
        Assert.Equal((4, 6, 7), (Number(totals, "files"), Number(totals, "lines"), Number(totals, "folders")));
        Assert.Equal("[{\"name\":\".coppice\",\"count\":1},{\"name\":\"bin\",\"count\":1}]", JsonSerializer.Serialize(report.GetProperty("excluded")));

        var tasks = (await CliProcess.JsonAsync(_folder.Path, "ps", "--json")).EnumerateArray().ToList();
        Assert.All(tasks, task => Assert.Equal("completed", task.GetProperty("status").GetString()));
        Assert.Equal([".", "docs", "src", "src/deep", "surveyor"], tasks.Select(task => task.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
        Assert.Equal("sub_agent", tasks[0].GetProperty("task_type").GetString());
        Assert.Equal("survey", tasks[0].GetProperty("owner_thread_id").GetString());

        // The folders' tasks are the surveyor's own: on its thread, and beneath it as the folders are.
        Assert.Single(tasks.Skip(1).Select(task => task.GetProperty("owner_thread_id").GetString()).Distinct());
        var parents = tasks.Skip(1).ToDictionary(task => task.GetProperty("name").GetString()!, task => task.GetProperty("parent_context").GetProperty("task_id").GetString());
        Assert.Equal("bg_0", parents["src"]);
        Assert.Equal(Id(tasks, "src"), parents["src/deep"]);
    }

    [Fact]
    public async Task Whatever_is_in_the_folder_it_is_counted_or_reported_and_never_reaches_the_terminal_raw()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Such names, pipes and rights are those of Linux.");
        _folder.File("plain.txt", "1\n2\n");
        _folder.File("binary.bin", [1, 2, 0, 3]);
        _folder.File("evil\u001b[2J\n[red]dir[/]\u202e/x.txt", "1\n");
        _folder.File(new string('n', 200) + "/x.txt", "1\n");
        _folder.File("bg_7/x.txt", "1\n");
        _folder.File("self/x.txt", "1\n");
        _folder.File("surveyor/x.txt", "1\n");
        _folder.File("secret/hidden.txt", "1\n");
        _folder.File("loop/x.txt", "1\n");
        _folder.Link("loop/up", "..");
        _folder.Link("loop/me", "me");
        _folder.Link("out", "/etc");
        _folder.Link("dead", "nowhere");
        _folder.Shell("mkfifo pipe; printf x > $'bad\\xff.txt'; mkdir $'bad\\xfe'; truncate -s 5G huge.txt; printf 1 > locked.txt; chmod 000 locked.txt secret");
        using var process = CliProcess.Start(_folder.Path, unprivileged: true, [], "survey", ".", "--store", _folder.At("store/s.db"));
        var result = await process.WaitAsync();

        Assert.True(result.ExitCode == 0, result.Error);
        result.AssertHarmless();
        var shown = await CliProcess.RunAsync(_folder.Path, "show", "bg_0", "--json", "--store", _folder.At("store/s.db"));
        var report = shown.Json().GetProperty("result");
        var counts = report.GetProperty("problem_counts").EnumerateArray().ToDictionary(p => p.GetProperty("name").GetString()!, p => p.GetProperty("count").GetInt32());
        Assert.Equal(
            new Dictionary<string, int>
            {
                ["unreadable_folder"] = 1, ["unreadable_file"] = 1, ["unreadable_name"] = 2, ["link_cycle"] = 2,
                ["link_out"] = 1, ["link_broken"] = 1, ["special_file"] = 1, ["large_file"] = 1,
            },
            counts);

        // plain, binary, the strange four, loop, huge, locked, and the file whose name is no UTF-8.
        Assert.Equal(11, Number(report.GetProperty("totals"), "files"));
        Assert.Equal(8, Number(report.GetProperty("totals"), "lines"));
        foreach (var command in new[] { "ps", "tree", "export" })
        {
            var listed = await CliProcess.RunAsync(_folder.Path, command, "--store", _folder.At("store/s.db"));
            Assert.Equal(0, listed.ExitCode);
            listed.AssertHarmless();
            Assert.Contains("evil\\", listed.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_pipe_gets_plain_text_and_json_mode_nothing_but_JSON()
    {
        _folder.File("a/x.txt", "1\n");
        using var plain = CliProcess.Start(_folder.Path, unprivileged: false, new() { ["TERM"] = "xterm-256color" }, "survey", ".");
        var result = await plain.WaitAsync();

        result.AssertHarmless();
        Assert.StartsWith("FOLDER", result.Out, StringComparison.Ordinal);
        Assert.Contains("Surveying", result.Error, StringComparison.Ordinal);

        var quiet = await CliProcess.RunAsync(_folder.Path, "survey", ".", "--json", "--quiet");
        Assert.Equal(JsonValueKind.Object, quiet.Json().ValueKind);
        Assert.Equal(1, quiet.Error.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Ten_thousand_sub_folders_are_counted_with_few_tasks_at_a_time()
    {
        _folder.Shell("mkdir many && cd many && mkdir $(seq -f 'd%05g' 10000) && for i in d*; do echo x > $i/f; done");
        using var process = CliProcess.Start(
            _folder.Path, unprivileged: false, new() { ["DOTNET_GCHeapHardLimit"] = "0xA000000" }, "survey", "many", "--json", "--quiet");
        var result = await process.WaitAsync();

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(10_000, Number(result.Json().GetProperty("totals"), "lines"));
        Assert.Equal(10_001, Number(result.Json().GetProperty("tasks"), "spawned"));
        Assert.Equal(10_002, (await CliProcess.JsonAsync(_folder.Path, "ps", "--json", "-n", "100000")).GetArrayLength());
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_signal_cancels_the_whole_tree(string signal, int exitCode)
    {
        using var gate = new SurveyGate();
        using var process = StartSurvey(gate, "-p", "2", "--json");
        await gate.ReachedAsync(process);
        process.Signal(signal);
        await TreeCancelIsStoredAsync(process);
        gate.Open();
        var result = await process.WaitAsync();

        Assert.Equal(exitCode, result.ExitCode);
        Assert.Equal("cancelled", result.Json().GetProperty("status").GetString());
        Assert.Contains("Cancelled after", result.Error, StringComparison.Ordinal);
        var tasks = (await CliProcess.JsonAsync(_folder.Path, "ps", "--json", "-n", "1000")).EnumerateArray().ToList();
        Assert.Equal("cancelled", tasks[0].GetProperty("status").GetString());
        Assert.Equal("tree:bg_0", tasks[0].GetProperty("cancelled_by").GetString());
        Assert.All(tasks, task => Assert.Contains(task.GetProperty("status").GetString(), new[] { "completed", "cancelled" }));
        var why = await CliProcess.RunAsync(_folder.Path, "why", "bg_0");
        Assert.Contains("by a cancel of its own tree", why.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_a_kill_the_next_command_shows_what_was_orphaned_once_and_no_more()
    {
        using var gate = new SurveyGate();
        using var process = StartSurvey(gate, "-p", "4");
        await gate.ReachedAsync(process);

        // A running survey is not disturbed by those who look on, nor settled.
        var beside = await CliProcess.RunAsync(_folder.Path, "ps", "--json", "--status", "running");
        Assert.False(process.HasExited);
        Assert.True(beside.Json().GetArrayLength() > 0, beside.Error);
        Assert.DoesNotContain("orphaned", beside.Error, StringComparison.Ordinal);
        var prune = await CliProcess.RunAsync(_folder.Path, "prune", "--older-than", "0s");
        Assert.Equal(4, prune.ExitCode);
        Assert.Contains($"{process.Id}", prune.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await CliProcess.RunAsync(_folder.Path, "prune", "--older-than", "0s", "--dry-run")).ExitCode);
        Assert.False(process.HasExited);

        process.Signal("KILL");
        Assert.Equal(137, (await process.WaitAsync()).ExitCode);

        var before = await ExportAsync();
        var first = await CliProcess.RunAsync(_folder.Path, "ps", "--json", "-n", "1000");
        var second = await CliProcess.RunAsync(_folder.Path, "ps", "--json", "-n", "1000");

        var orphans = first.Json().EnumerateArray().Where(IsOrphan).Select(Id).ToList();
        Assert.NotEmpty(orphans);
        Assert.Contains("bg_0", orphans);
        Assert.Equal(1, before.Error.Count(c => c == '\n'));
        Assert.Matches($"^{orphans.Count} tasks? (was|were) orphaned", before.Error);
        Assert.Empty(first.Error);
        Assert.Empty(second.Error);
        Assert.Equal(first.Out, second.Out);
        Assert.All(first.Json().EnumerateArray(), task => Assert.True(IsOrphan(task) || task.GetProperty("status").GetString() == "completed"));
        var why = await CliProcess.RunAsync(_folder.Path, "why", orphans[^1]!);
        Assert.Contains("It was orphaned: the process that ran it ended while it ran", why.Out, StringComparison.Ordinal);

        // And the store takes the next survey.
        var again = await CliProcess.JsonAsync(_folder.Path, "survey", "large/d1", "--json");
        Assert.Equal("completed", again.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_second_survey_on_a_store_in_use_is_told_who_has_it()
    {
        using var gate = new SurveyGate();
        using var first = StartSurvey(gate, "-p", "1");
        await gate.ReachedAsync(first);
        var second = await CliProcess.RunAsync(_folder.Path, "survey", "large/d1");

        Assert.Equal(4, second.ExitCode);
        Assert.Contains($"{first.Id}", second.Error, StringComparison.Ordinal);
        Assert.Equal(1, second.Error.Count(c => c == '\n'));
        first.Signal("INT");
        await TreeCancelIsStoredAsync(first);
        gate.Open();
        Assert.Equal(130, (await first.WaitAsync()).ExitCode);
    }

    [Fact]
    public async Task A_second_signal_leaves_at_once_and_the_next_command_tells_of_the_orphans()
    {
        using var gate = new SurveyGate();
        using var process = StartSurvey(gate, "--json");
        await gate.ReachedAsync(process);
        process.Signal("INT");
        await process.HasSaidAsync("Cancelling ");
        process.Signal("TERM");
        var result = await process.WaitAsync();

        Assert.Equal(143, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.Contains("Stopped at once", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await CliProcess.RunAsync(_folder.Path, "why", "bg_0")).ExitCode);
        Assert.Empty((await CliProcess.JsonAsync(_folder.Path, "ps", "--json", "--status", "running")).EnumerateArray());
    }

    /// <summary>Starts a survey of a hundred folders, of which most lie behind the gate.</summary>
    private CliProcess StartSurvey(SurveyGate gate, params string[] arguments)
    {
        _folder.Shell("mkdir large && cd large && mkdir d{1..100}");
        return CliProcess.Start(_folder.Path, unprivileged: false, gate.Environment, ["survey", "large", .. arguments]);
    }

    /// <summary>Waits until others see that the surveyor's tree is to be cancelled. A survey that went on before that might be through.</summary>
    private async Task TreeCancelIsStoredAsync(CliProcess process)
    {
        await process.HasSaidAsync("Cancelling ");
        while (!(await CliProcess.JsonAsync(_folder.Path, "show", "bg_0", "--json")).TryGetProperty("cancelled_by", out _))
        {
            Assert.False(process.HasExited);
        }
    }

    private async Task<CliResult> ExportAsync() => await CliProcess.RunAsync(_folder.Path, "export");

    private static bool IsOrphan(JsonElement task) =>
        task.TryGetProperty("error", out var error) && error.GetString() == "task orphaned: runtime restarted while running";

    private static string? Id(JsonElement task) => task.GetProperty("task_id").GetString();

    private static string? Id(List<JsonElement> tasks, string name) => Id(tasks.Single(task => task.GetProperty("name").GetString() == name));

    private static long Number(JsonElement json, string name) => json.GetProperty(name).GetInt64();
}
