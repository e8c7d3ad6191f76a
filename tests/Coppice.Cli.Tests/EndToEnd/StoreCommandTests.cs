using System.Text.Json;
using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.EndToEnd;

/// <summary>The commands that read and tend a store, on one that was made by hand.</summary>
public sealed class StoreCommandTests : IAsyncLifetime
{
    private const string Evil = "\u001b[31mred\u009b2J\u202e[bold]";

    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Store => _folder.At("s.db");

    /// <summary>bg_0 with the children bg_1 (failed) and bg_2 (cancelled by the tree), and bg_3 on another thread.</summary>
    public async ValueTask InitializeAsync()
    {
        await using var store = await SqliteTaskStore.OpenAsync(Store, cancellationToken: Stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, cancellationToken: Stop);
        string root, parked;
        using (ToolCallScope.Begin("run-1", "call-9", "boss"))
        {
            root = await manager.SpawnAsync("t1", context => context.WhenCancelledAsync(), new SpawnOptions { Name = "root", Description = "Keep watch" }, Stop);
        }

        var failed = await manager.SpawnAsync(
            "t1", _ => Task.FromResult(TaskOutcome.Failure(Evil)), new SpawnOptions { Name = "[red]x[/]", Lineage = new TaskLineage { TaskId = root } }, Stop);
        parked = await manager.SpawnAsync(
            "t1",
            async context =>
            {
                await context.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            },
            new SpawnOptions { Lineage = new TaskLineage { TaskId = root } }, Stop);
        await manager.WaitAsync(failed, Stop);
        await manager.CancelTreeAsync(root, Stop);
        await manager.WaitAsync(root, Stop);
        await manager.WaitAsync(parked, Stop);
        using var result = JsonDocument.Parse("{\"z\":1.50,\"evil\":\"\u009b\u202e\"}");
        var last = await manager.SpawnAsync(
            "t2", _ => Task.FromResult(TaskOutcome.Success(result.RootElement)), new SpawnOptions { Type = "crawl", Description = Evil }, Stop);
        await manager.WaitAsync(last, Stop);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Ps_filters_by_thread_status_type_and_name()
    {
        Assert.Equal(["bg_0", "bg_1", "bg_2", "bg_3"], await IdsAsync());
        Assert.Equal(["bg_3"], await IdsAsync("--thread", "t2"));
        Assert.Equal(["bg_1", "bg_2"], await IdsAsync("--status", "failed", "--status", "cancelled"));
        Assert.Equal(["bg_3"], await IdsAsync("--type", "crawl"));
        Assert.Equal(["bg_0"], await IdsAsync("--name", "root"));
        Assert.Equal(["bg_2", "bg_3"], await IdsAsync("--limit", "2"));
        Assert.Empty(await IdsAsync("--thread", "nobody"));
    }

    [Theory]
    [InlineData("ps")]
    [InlineData("ps", "--json")]
    [InlineData("tree")]
    [InlineData("tree", "--json")]
    [InlineData("show", "bg_1")]
    [InlineData("show", "bg_3")]
    [InlineData("show", "bg_3", "--json")]
    [InlineData("why", "bg_1")]
    [InlineData("why", "bg_3", "--json")]
    [InlineData("export")]
    public async Task What_tasks_say_of_themselves_never_reaches_the_terminal_raw(params string[] arguments)
    {
        var result = await RunAsync(arguments);

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        result.AssertHarmless();
        Assert.True(result.Out.Contains("[red]x[/]", StringComparison.Ordinal) || result.Out.Contains("bg_3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Why_tells_the_whole_story()
    {
        var why = (await RunAsync("why", "bg_2")).Out;

        Assert.Contains("beneath bg_0 \"root\".", why, StringComparison.Ordinal);
        Assert.Contains("The root, bg_0 \"root\", was spawned by agent boss in tool call call-9 of run run-1.", why, StringComparison.Ordinal);
        Assert.Contains("by a cancel of the tree of bg_0 \"root\".", why, StringComparison.Ordinal);
        Assert.Contains("It was cancelled after", why, StringComparison.Ordinal);
        Assert.Contains("all the same: its body had the last word", (await RunAsync("why", "bg_0")).Out, StringComparison.Ordinal);
        var json = (await RunAsync("why", "bg_2", "--json")).Json();
        Assert.Equal("bg_0", Assert.Single(json.GetProperty("lineage").EnumerateArray()).GetString());
        Assert.True(json.GetProperty("sentences").GetArrayLength() >= 5);
    }

    [Fact]
    public async Task Tree_shows_children_beneath_their_parents()
    {
        var forest = (await RunAsync("tree", "--json")).Json();
        var lines = (await RunAsync("tree", "bg_0")).Out.Split('\n');

        Assert.Equal(["bg_0", "bg_3"], forest.EnumerateArray().Select(node => node.GetProperty("task").GetProperty("task_id").GetString()));
        Assert.Equal(2, forest[0].GetProperty("children").GetArrayLength());
        Assert.StartsWith("bg_0 root completed", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("├─ bg_1 [red]x[/] failed", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("└─ bg_2 cancelled", lines[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("show", "bg_99")]
    [InlineData("why", "nonsense\u001b[2J")]
    [InlineData("tree", "")]
    public async Task An_unknown_task_is_exit_code_3(params string[] arguments)
    {
        var result = await RunAsync(arguments);

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("There is no task", result.Error, StringComparison.Ordinal);
        result.AssertHarmless();
    }

    [Fact]
    public async Task An_export_is_JSON_lines_that_a_restore_takes()
    {
        var lines = (await RunAsync("export")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var file = _folder.At("out.jsonl");
        var toFile = await RunAsync("export", "--output", file, "--thread", "t2");

        Assert.Equal(4, lines.Length);
        var tasks = lines.Select(line => JsonSerializer.Deserialize<TaskSnapshot>(line)!).ToList();
        Assert.Equal(Evil, tasks[1].Error);
        Assert.Equal(Evil, tasks[3].Description);
        Assert.Equal((0, ""), (toFile.ExitCode, toFile.Out));

        // In a file the result stands as it came, byte for byte.
        var written = await File.ReadAllTextAsync(file, Stop);
        Assert.Contains("\"result\":{\"z\":1.50,\"evil\":\"\u009b\u202e\"}", written, StringComparison.Ordinal);
        Assert.False(File.Exists(file + ".part"));
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, cancellationToken: Stop);
        Assert.Equal(new RestoreResult(4, 0, 0), await manager.RestoreAsync("elsewhere", tasks, Stop));
    }

    [Fact]
    public async Task An_export_never_overwrites_the_store()
    {
        Assert.Equal(2, (await RunAsync("export", "--output", Store)).ExitCode);
        Assert.Equal(2, (await RunAsync("export", "--output", Store + "-wal")).ExitCode);
        Assert.Equal(1, (await RunAsync("export", "--output", _folder.At("no/such/folder/x"))).ExitCode);
        Assert.Equal(4, (await IdsAsync()).Count);
    }

    [Fact]
    public async Task Prune_forgets_what_ended_long_enough_ago()
    {
        Assert.Equal("0 tasks forgotten.\n", (await RunAsync("prune", "--older-than", "1d")).Out);
        var dry = (await RunAsync("prune", "--older-than", "0s", "--dry-run", "--json")).Json();
        Assert.Equal((4, 0), (dry.GetProperty("would_prune").GetInt32(), dry.GetProperty("pruned").GetInt32()));
        Assert.Equal(4, (await IdsAsync()).Count);

        Assert.Equal("4 tasks forgotten.\n", (await RunAsync("prune", "--older-than", "0s")).Out);
        Assert.Empty(await IdsAsync());
        var empty = await RunAsync("ps");
        Assert.Equal((0, "", "No tasks.\n"), (empty.ExitCode, empty.Out, empty.Error));
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_can_still_be_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Rights are those of Linux.");
        _folder.Shell("chmod 444 s.db* && chmod 555 .");
        using var list = CliProcess.Start(_folder.Path, unprivileged: true, [], "ps", "--json", "--store", Store);
        var listed = await list.WaitAsync();
        using var prune = CliProcess.Start(_folder.Path, unprivileged: true, [], "prune", "--older-than", "0s", "--store", Store);
        var pruned = await prune.WaitAsync();

        Assert.True(listed.ExitCode == 0, listed.Error);
        Assert.Equal(4, listed.Json().GetArrayLength());
        Assert.Equal(4, pruned.ExitCode);
        Assert.Equal(1, pruned.Error.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Output_that_cannot_be_written_is_exit_code_1_and_one_line()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no device that is always full.");
        _folder.Shell($"'{Path.Combine(AppContext.BaseDirectory, "Coppice.Cli")}' ps --store '{Store}' > /dev/full 2> error; test $? = 1");
        var error = await File.ReadAllTextAsync(_folder.At("error"), Stop);

        Assert.StartsWith("coppice: Reading or writing failed: ", error, StringComparison.Ordinal);
        Assert.Equal(1, error.Count(c => c == '\n'));
    }

    [Fact]
    public async Task A_damaged_store_is_exit_code_4_and_one_line()
    {
        var bytes = await File.ReadAllBytesAsync(Store, Stop);
        bytes.AsSpan(100, 3000).Fill(0xff);
        await File.WriteAllBytesAsync(Store, bytes, Stop);
        File.Delete(Store + "-wal");
        var result = await RunAsync("ps");

        Assert.Equal(4, result.ExitCode);
        Assert.Equal(1, result.Error.Count(c => c == '\n'));
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Contains("   at ", (await RunAsync("ps", "--verbose")).Error, StringComparison.Ordinal);
    }

    private async Task<List<string?>> IdsAsync(params string[] arguments)
    {
        var result = await RunAsync(["ps", "--json", .. arguments]);
        Assert.True(result.ExitCode == 0, result.Error);
        return [.. result.Json().EnumerateArray().Select(task => task.GetProperty("task_id").GetString())];
    }

    private Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_folder.Path, [.. arguments, "--store", Store]);
}
