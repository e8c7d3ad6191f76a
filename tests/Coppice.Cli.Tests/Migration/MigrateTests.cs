using System.Text.Json;
using Coppice.Cli.Tests.Support;
using Coppice.PostgreSql.Tests.Support;

namespace Coppice.Cli.Tests.Migration;

/// <summary><c>coppice migrate</c>.</summary>
public sealed class MigrateTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TempFolder _folder = new();
    private ScratchSchema _schema = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string File => _folder.At("tasks.db");

    private PostgreSqlTaskStoreOptions Options => new() { Schema = _schema.Name, Migrate = false };

    public async ValueTask InitializeAsync() => _schema = await ScratchSchema.ReserveAsync();

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        await _schema.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(null)]
    public async Task Everything_reads_the_same_afterwards_and_hosts_go_on(int? fixedSeed)
    {
        var seed = fixedSeed ?? Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await Plantation.MakeAsync(File, seed);

        var console = new TestConsole();
        Assert.True(await MigrateAsync(console) == 0, console.Error);

        await using (var before = await SqliteTaskStore.OpenReadOnlyAsync(File, cancellationToken: Stop))
        await using (var after = await OpenAsync())
        {
            await AssertSameAsync(before, after);
        }

        await AssertHostsGoOnAlikeAsync();
    }

    [Fact]
    public async Task What_is_printed_counts_the_rows_and_says_that_they_were_compared()
    {
        await Plantation.MakeAsync(File, 3);
        var console = new TestConsole();
        Assert.Equal(0, await MigrateAsync(console, "--json"));
        using var json = JsonDocument.Parse(console.Out);

        var tasks = json.RootElement.GetProperty("rows").GetProperty("tasks").GetInt64();
        Assert.Equal(tasks, await _schema.QueryAsync($"SELECT count(*) FROM {_schema.Name}.tasks"));
        Assert.Equal(32, json.RootElement.GetProperty("sums").GetProperty("tasks").GetString()!.Length);
        Assert.Contains("read back and is the same", (await AgainAsync()).Error, StringComparison.Ordinal);

        // To another schema: this one is taken.
        async Task<TestConsole> AgainAsync()
        {
            var again = new TestConsole();
            await using var other = await ScratchSchema.ReserveAsync();
            Assert.Equal(0, await again.RunAsync("migrate", "--from", $"sqlite:{File}", "--to", await ServerAsync(), "--schema", other.Name));
            return again;
        }
    }

    [Fact]
    public async Task A_dry_run_changes_nothing_on_either_side()
    {
        await Plantation.MakeAsync(File, 4);
        var before = await System.IO.File.ReadAllBytesAsync(File, Stop);
        var console = new TestConsole();

        Assert.Equal(0, await MigrateAsync(console, "--dry-run"));

        Assert.Contains("would be moved", console.Error, StringComparison.Ordinal);
        Assert.Equal(before, await System.IO.File.ReadAllBytesAsync(File, Stop));
        Assert.Equal(0L, await _schema.QueryAsync($"SELECT count(*) FROM pg_namespace WHERE nspname = '{_schema.Name}'"));
    }

    [Fact]
    public async Task A_file_that_a_host_works_on_is_refused_and_the_host_named()
    {
        await using var store = await SqliteTaskStore.OpenAsync(File, cancellationToken: Stop);
        var console = new TestConsole();

        Assert.Equal(4, await MigrateAsync(console));

        Assert.Contains($"process {Environment.ProcessId}", console.Error, StringComparison.Ordinal);
        var trial = new TestConsole();
        Assert.Equal(0, await MigrateAsync(trial, "--dry-run"));
        Assert.Contains($"process {Environment.ProcessId} works on", trial.Error, StringComparison.Ordinal);
        Assert.Equal(0L, await _schema.QueryAsync($"SELECT count(*) FROM {_schema.Name}.thread_ids"));
    }

    [Fact]
    public async Task A_schema_that_is_not_empty_is_refused_and_left_as_it_was()
    {
        await Plantation.MakeAsync(File, 5);
        await using (var store = await PostgreSqlTaskStore.OpenAsync(await PostgresServer.ConnectionStringAsync(), new() { Schema = _schema.Name }, Stop))
        await using (var manager = await BackgroundTaskManager.StartAsync(store, null, Stop))
        {
            await manager.WaitAsync(
                await manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Success(1)), cancellationToken: Stop), Stop);
        }

        var console = new TestConsole();

        Assert.Equal(1, await MigrateAsync(console));
        Assert.Contains("is not empty", console.Error, StringComparison.Ordinal);
        Assert.Equal(1L, await _schema.QueryAsync($"SELECT count(*) FROM {_schema.Name}.tasks"));
    }

    [Fact]
    public async Task A_schema_that_a_host_works_on_is_refused_and_the_host_named()
    {
        await Plantation.MakeAsync(File, 6);
        await using var store = await PostgreSqlTaskStore.OpenAsync(await PostgresServer.ConnectionStringAsync(), new() { Schema = _schema.Name }, Stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, new() { HostName = "busy-host" }, Stop);
        var console = new TestConsole();

        Assert.Equal(1, await MigrateAsync(console));
        Assert.Contains("busy-host", console.Error, StringComparison.Ordinal);
        Assert.Contains("Stop every host there first", console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_half_way_leaves_nothing_behind()
    {
        await Plantation.MakeAsync(File, 7);
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateScript(_schema.Name));

        // The last table refuses what it is given.
        await _schema.ExecuteAsync($"ALTER TABLE {_schema.Name}.mail ADD CHECK (seq < 0)");
        var console = new TestConsole();

        Assert.Equal(4, await MigrateAsync(console));
        Assert.Equal(0L, await _schema.QueryAsync($"SELECT count(*) FROM {_schema.Name}.tasks"));
        await _schema.ExecuteAsync($"ALTER TABLE {_schema.Name}.mail DROP CONSTRAINT mail_seq_check");
        Assert.Equal(0, await MigrateAsync(new TestConsole()));
    }

    [Fact]
    public async Task A_role_with_the_rights_of_a_host_may_do_it()
    {
        await Plantation.MakeAsync(File, 8);
        await using var role = await ScratchRole.CreateAsync();
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateScript(_schema.Name));
        await _schema.ExecuteAsync(PostgreSqlSchema.CreateGrants(role.Name, _schema.Name));
        var console = new TestConsole();

        var code = await console.RunAsync(
            "migrate", "--from", File, "--to", $"postgres:{await role.ConnectionStringAsync()}", "--schema", _schema.Name);

        Assert.True(code == 0, console.Error);
    }

    [Theory]
    [InlineData(2, "--from is to be a file", "migrate", "--from", "postgres:Host=h", "--to", "postgres:Host=h")]
    [InlineData(2, "--to is to be a PostgreSQL database", "migrate", "--from", "a.db", "--to", "b.db")]
    [InlineData(2, "--to cannot be read", "migrate", "--from", "a.db", "--to", "postgres:nonsense=s3cret")]
    [InlineData(3, "There is no store at", "migrate", "--from", "a.db", "--to", "postgres:Host=127.0.0.1;Port=1;Password=s3cret")]
    [InlineData(2, "Option '--to' is required", "migrate", "--from", "a.db")]
    public async Task What_cannot_be_meant_is_refused_without_a_password_in_the_answer(int exitCode, string expected, params string[] arguments)
    {
        var console = new TestConsole();

        Assert.Equal(exitCode, await console.RunAsync(arguments));
        Assert.Contains(expected, console.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", console.Error, StringComparison.Ordinal);
    }

    private static async Task<string> ServerAsync() => $"postgres:{await PostgresServer.ConnectionStringAsync()}";

    private async Task<int> MigrateAsync(TestConsole console, params string[] more) =>
        await console.RunAsync(["migrate", "--from", $"sqlite:{File}", "--to", await ServerAsync(), "--schema", _schema.Name, .. more]);

    private async Task<PostgreSqlTaskStore> OpenAsync() =>
        await PostgreSqlTaskStore.OpenAsync(await PostgresServer.ConnectionStringAsync(), Options, Stop);

    private static async Task<List<TaskSnapshot>> AllAsync(ITaskStore store)
    {
        var all = new List<TaskSnapshot>();
        while (true)
        {
            var page = await store.ListAsync(new TaskQuery(), all.Count == 0 ? null : TaskCursor.After(all[^1]), 100, Stop);
            all.AddRange(page);
            if (page.Count < 100)
            {
                return all;
            }
        }
    }

    private static async Task AssertSameAsync(SqliteTaskStore before, PostgreSqlTaskStore after)
    {
        var tasks = await AllAsync(before);
        Assert.True(tasks.Count > 20);
        Assert.Contains(tasks, static task => task.State == TaskState.Pending);
        Assert.Contains(tasks, static task => task.Error == "task orphaned: runtime restarted while running");
        Assert.Equal(tasks, await AllAsync(after));
        Assert.Equal(before.MailDepth, after.MailDepth);
        Assert.Equal(await before.FindNextExpiryAsync(Stop), await after.FindNextExpiryAsync(Stop));
        Assert.Equal(
            (await before.ListThreadsWithUnreadMailAsync(Stop)).Order(StringComparer.Ordinal),
            (await after.ListThreadsWithUnreadMailAsync(Stop)).Order(StringComparer.Ordinal));
        foreach (var task in tasks)
        {
            Assert.Equal(task, await after.GetAsync(task.TaskId, Stop));
            Assert.Equal(await before.ReadStepsAsync(task.TaskId, 0, 100, Stop), await after.ReadStepsAsync(task.TaskId, 0, 100, Stop));
            foreach (var parent in new[] { task.Lineage with { CallId = null }, new TaskLineage { RunId = task.Lineage.RunId }, new TaskLineage { TaskId = task.Lineage.TaskId } }.Where(static parent => !parent.IsEmpty))
            {
                Assert.Equal(await before.FindLiveChildAsync(parent, task.TaskId, Stop), await after.FindLiveChildAsync(parent, task.TaskId, Stop));
                Assert.Equal(
                    await before.FindLiveChildAsync(parent, task.Name ?? "-", Stop),
                    await after.FindLiveChildAsync(parent, task.Name ?? "-", Stop));
            }
        }

        foreach (var thread in Threads(tasks))
        {
            Assert.Equal(await before.HasLiveAsync(thread, Stop), await after.HasLiveAsync(thread, Stop));
            Assert.Equal(await before.CountUnreadEventsAsync(thread, Stop), await after.CountUnreadEventsAsync(thread, Stop));
            Assert.Equal(await before.ListDeadLettersAsync(thread, Stop), await after.ListDeadLettersAsync(thread, Stop));
            Assert.Equal(await before.ListFailedMessagesAsync(thread, Stop), await after.ListFailedMessagesAsync(thread, Stop));
            var (told, tells) = (await before.ReadConversationAsync(thread, 0, 100, Stop), await after.ReadConversationAsync(thread, 0, 100, Stop));
            Assert.Equal(told.Entries.Select(static entry => entry.GetRawText()), tells.Entries.Select(static entry => entry.GetRawText()));
        }
    }

    private static IEnumerable<string> Threads(IEnumerable<TaskSnapshot> tasks) =>
        tasks.SelectMany(static task => new[] { task.OwnerThreadId, task.AgentThreadId }).OfType<string>().Distinct();

    /// <summary>Hosts on both finish what was waiting, with the same results and the same mail, and the ids go on from where they were.</summary>
    private async Task AssertHostsGoOnAlikeAsync()
    {
        List<(List<TaskSnapshot> Tasks, List<string> Mail, string Next)> sides = [];
        foreach (var store in new ITaskStore[] { await SqliteTaskStore.OpenAsync(File, cancellationToken: Stop), await OpenAsync() })
        {
            await using var _ = store;
            var options = new BackgroundTaskOptions { HostTimeout = TimeSpan.FromSeconds(2) };
            options.Tasks.Add(Plantation.Later, static (input, _) => Task.FromResult($"done {input}"));
            options.Tasks.Add(Plantation.Grow, static (input, context) => Plantation.GrowAsync(input, context));
            await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);
            foreach (var task in await AllAsync(store))
            {
                await manager.WaitAsync(task.TaskId, Stop).WaitAsync(Patience, Stop);
            }

            var tasks = await AllAsync(store);
            var mail = new List<string>();
            foreach (var thread in Threads(tasks).Order(StringComparer.Ordinal))
            {
                await using var inbox = await manager.OpenInboxAsync(thread, Stop);
                var items = await inbox.DrainAsync(Stop);
                Assert.Equal(Enumerable.Range(0, items.Count).Select(i => items[0].Sequence + i), items.Select(static item => item.Sequence));
                mail.AddRange(
                    items.Select(static item => MailEventJson.Serialize(item.Event)).Order(StringComparer.Ordinal).Select(text => $"{thread}: {text}"));
            }

            var next = await manager.SpawnAsync("new", static _ => Task.FromResult(TaskOutcome.Success(1)), cancellationToken: Stop);
            sides.Add((tasks, mail, next));
        }

        var (file, server) = (sides[0], sides[1]);
        Assert.Equal(
            file.Tasks.Select(static task => (task.TaskId, task.State, task.Error, task.Result?.GetRawText(), task.Work?.Failures)),
            server.Tasks.Select(static task => (task.TaskId, task.State, task.Error, task.Result?.GetRawText(), task.Work?.Failures)));
        Assert.All(server.Tasks.Where(static task => task.Work is not null), static task => Assert.Equal(TaskState.Completed, task.State));
        Assert.Equal(file.Mail, server.Mail);
        Assert.Equal(file.Next, server.Next);
    }
}
