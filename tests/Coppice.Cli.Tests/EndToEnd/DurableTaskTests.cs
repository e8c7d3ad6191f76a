using Coppice.Cli.Tests.Support;

namespace Coppice.Cli.Tests.EndToEnd;

/// <summary>What the commands show of tasks of registered kinds whose process has ended.</summary>
public sealed class DurableTaskTests : IAsyncLifetime
{
    private static readonly TaskKind<string, string> Kind = new("crawl") { Recovery = RecoveryPolicy.Resumable };

    private readonly TempFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Store => _folder.At("s.db");

    /// <summary>bg_0 runs as its process ends, bg_1 is an orphan of it, bg_2 waits for its time.</summary>
    public async ValueTask InitializeAsync()
    {
        var store = await SqliteTaskStore.OpenAsync(Store, cancellationToken: Stop);
        var begun = new TaskCompletionSource();
        var never = new TaskCompletionSource<string>();
        var options = new BackgroundTaskOptions();
        options.Tasks.Add(Kind, (_, _) =>
        {
            begun.TrySetResult();
            return never.Task;
        });
        var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);
        await manager.SpawnAsync(Kind, "t1", "https://example.org/\u001b[2J", new SpawnOptions { IdempotencyKey = "k" }, Stop);
        await manager.SpawnAsync("t1", _ => never.Task, cancellationToken: Stop);
        await manager.SpawnAsync(Kind, "t1", "later", new SpawnOptions { Delay = TimeSpan.FromDays(1) }, Stop);
        await begun.Task.WaitAsync(TimeSpan.FromMinutes(1), Stop);

        // As a process that ends: the host has not left, and nobody speaks for it any more.
        await store.DisposeAsync();
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_is_to_be_run_again_is_told_apart_from_orphans_and_from_what_had_not_begun()
    {
        var first = await RunAsync("ps", "--status", "pending");
        var second = await RunAsync("ps", "--status", "pending");

        Assert.Contains("1 task was orphaned", first.Error, StringComparison.Ordinal);
        Assert.Contains("1 task waits to be run again", first.Error, StringComparison.Ordinal);
        Assert.Equal("", second.Error);
        Assert.Contains("bg_0", second.Out, StringComparison.Ordinal);
        Assert.Contains("bg_2", second.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("bg_1", second.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_has_the_kind_the_attempts_and_the_input_and_why_says_what_it_waits_for()
    {
        await RunAsync("ps");

        var shown = (await RunAsync("show", "bg_0")).Out;
        Assert.Matches("kind +crawl", shown);
        Assert.Matches("attempts +once, of which 1 ended with their process", shown);
        Assert.Matches("after crash +runs again with its steps", shown);
        Assert.Matches("key +k", shown);
        Assert.Contains("https://example.org/\\u001B[2J", shown, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', shown);
        Assert.Contains("It waits for a host that knows the kind crawl and has room. It was begun once", (await RunAsync("why", "bg_0")).Out, StringComparison.Ordinal);
        Assert.Contains("It waits for its time", (await RunAsync("why", "bg_2")).Out, StringComparison.Ordinal);
        var work = (await RunAsync("show", "bg_0", "--json")).Json().GetProperty("work");
        Assert.Equal(("crawl", 1), (work.GetProperty("kind").GetString(), work.GetProperty("crashes").GetInt32()));
    }

    private Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_folder.Path, ["--store", Store, .. arguments]);
}
