using System.Text.Json;
using Coppice.Cli.Tests.Support;
using Coppice.PostgreSql.Tests.Support;

namespace Coppice.Cli.Tests.EndToEnd;

/// <summary><c>coppice doctor</c>, and the commands that read a PostgreSQL store.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly TestConsole _console = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string File => _folder.At("tasks.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_that_is_well_is_said_to_be()
    {
        await (await SqliteTaskStore.OpenAsync(File, cancellationToken: Stop)).DisposeAsync();

        Assert.Equal(0, await _console.RunAsync("doctor", "--deep", "--store", $"sqlite:{File}"));

        Assert.All(_console.Out.TrimEnd('\n').Split('\n'), static line => Assert.StartsWith("ok ", line, StringComparison.Ordinal));
        Assert.Contains("integrity", _console.Out, StringComparison.Ordinal);
        Assert.Contains("all is well", _console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_looks_beside_a_running_host_and_disturbs_nothing()
    {
        await using var store = await SqliteTaskStore.OpenAsync(File, cancellationToken: Stop);
        await using var manager = await BackgroundTaskManager.StartAsync(store, null, Stop);

        var checks = await ChecksAsync(0, "--store", File);
        Assert.Equal(0, await _console.RunAsync("doctor", "--store", File));

        Assert.Equal($"process {Environment.ProcessId} has the store, as its one host", checks["host"].Found);
        Assert.Null(await SqliteTaskStore.TryOpenAsync(File, cancellationToken: Stop));
        var id = await manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Success(1)), cancellationToken: Stop);
        Assert.Equal(TaskState.Completed, (await manager.WaitAsync(id, Stop)).State);
    }

    [Fact]
    public async Task A_file_that_is_not_there_fails_and_is_not_made()
    {
        var checks = await ChecksAsync(1, "--store", File);

        Assert.Equal("failed", checks["file"].Result);
        Assert.False(System.IO.File.Exists(File));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task A_file_of_another_program_fails()
    {
        _folder.File("tasks.db", new string('x', 5000));

        Assert.Equal("failed", (await ChecksAsync(1, "--store", File))["schema"].Result);
    }

    [Fact]
    public async Task A_damaged_file_is_found_by_a_deep_look()
    {
        await using (var store = await SqliteTaskStore.OpenAsync(File, cancellationToken: Stop))
        await using (var manager = await BackgroundTaskManager.StartAsync(store, null, Stop))
        {
            for (var i = 0; i < 200; i++)
            {
                await manager.WaitAsync(
                    await manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Success(new string('r', 1000))), cancellationToken: Stop),
                    Stop);
            }
        }

        var length = new FileInfo(File).Length;
        using (var file = new FileStream(File, FileMode.Open, FileAccess.Write))
        {
            file.Position = length - (length % 4096) - (20 * 4096);
            file.Write(new byte[8 * 4096]);
        }

        var checks = await ChecksAsync(1, "--deep", "--store", File);

        Assert.Equal("failed", (checks.GetValueOrDefault("integrity") ?? checks["schema"]).Result);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_fails_and_no_password_is_shown()
    {
        var checks = await ChecksAsync(1, "--store", "postgres://app:s3cret@127.0.0.1:1/shop?connect_timeout=5");

        Assert.Equal("failed", checks["connection"].Result);
        Assert.Contains("127.0.0.1:1/shop", checks["connection"].Found, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", _console.Out + _console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_commands_and_prune_take_a_server()
    {
        await using var schema = await ScratchSchema.ReserveAsync();
        var server = await PostgresServer.ConnectionStringAsync();
        string[] store = ["--store", $"postgres:{server}", "--schema", schema.Name];
        Assert.Equal(3, await new TestConsole().RunAsync(["ps", .. store]));
        await using (var opened = await PostgreSqlTaskStore.OpenAsync(server, new() { Schema = schema.Name }, Stop))
        await using (var manager = await BackgroundTaskManager.StartAsync(opened, null, Stop))
        {
            await manager.WaitAsync(
                await manager.SpawnAsync("t", static _ => Task.FromResult(TaskOutcome.Failure("no luck")), cancellationToken: Stop), Stop);
        }

        foreach (var (command, expected) in new[] { ("ps", "failed"), ("show bg_0", "no luck"), ("why bg_0", "no luck"), ("tree", "bg_0"), ("export", "\"error\":\"no luck\"") })
        {
            var console = new TestConsole();
            Assert.Equal(0, await console.RunAsync([.. command.Split(' '), .. store]));
            Assert.Contains(expected, console.Out, StringComparison.Ordinal);
        }

        Assert.Equal(2, await _console.RunAsync(["survey", _folder.Path, .. store]));
        Assert.Equal(0, await _console.RunAsync(["prune", "--older-than", "0s", .. store]));
        Assert.Contains("1 task forgotten", _console.Out, StringComparison.Ordinal);
        Assert.Equal(0, await new TestConsole().RunAsync(["doctor", .. store]));
    }

    private async Task<Dictionary<string, Check>> ChecksAsync(int exitCode, params string[] arguments)
    {
        var console = new TestConsole();
        Assert.Equal(exitCode, await console.RunAsync(["doctor", "--json", .. arguments]));
        using var json = JsonDocument.Parse(console.Out);
        return json.RootElement.GetProperty("checks").EnumerateArray()
            .Select(static check => new Check(check.GetProperty("name").GetString()!, check.GetProperty("result").GetString()!, check.GetProperty("found").GetString()!))
            .ToDictionary(static check => check.Name, StringComparer.Ordinal);
    }

    private sealed record Check(string Name, string Result, string Found);
}
