using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Coppice.PostgreSql.Tests.Support;
using Npgsql;

namespace Coppice.PostgreSql.Tests;

/// <summary>What <c>eng/postgres.sh</c> promises, on clusters of the tests' own; most do with one, which each finds stopped, running or not there.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class PostgresScriptTests(ScratchFolder shared) : IClassFixture<ScratchFolder>
{
    private static readonly string[] Commands = ["start", "stop", "restart", "status", "remove"];

    private string PidFile => Path.Combine(shared.Cluster, "data", "postmaster.pid");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cluster_is_started_once_and_keeps_its_data_until_it_is_removed()
    {
        await using var folder = new ScratchFolder();
        var first = await PostgresScript.RunAsync("start", folder.Cluster);
        var port = new NpgsqlConnectionStringBuilder(first.Output).Port;

        Assert.Matches("^Host=127.0.0.1;Port=[0-9]+;Username=coppice_admin;Password=[0-9a-f]{48};Database=coppice\n$", first.Output);
        Assert.Equal(new ScriptAnswer(0, first.Output, ""), await PostgresScript.RunAsync("start", folder.Cluster));
        Assert.Equal(0, (await PostgresScript.RunAsync("status", folder.Cluster)).ExitCode);
        await AskAsync(first.Output, "CREATE TABLE kept AS SELECT 7 AS value");

        Assert.Equal("", await PostgresScript.DoAsync("stop", folder.Cluster));
        Assert.False(await AnswersAsync(port), "It is stopped, and something answers on its port.");
        Assert.Equal(3, (await PostgresScript.RunAsync("status", folder.Cluster)).ExitCode);
        Assert.Equal(7, await AskAsync(await PostgresScript.DoAsync("start", folder.Cluster), "SELECT value FROM kept"));
        Assert.Equal(7, await AskAsync(await PostgresScript.DoAsync("restart", folder.Cluster), "SELECT value FROM kept"));
        Assert.Equal(7, await AskAsync(await PostgresScript.DoAsync("restart", "--immediate", folder.Cluster), "SELECT value FROM kept"));

        port = new NpgsqlConnectionStringBuilder(await PostgresScript.DoAsync("start", folder.Cluster)).Port;
        Assert.Equal("", await PostgresScript.DoAsync("remove", folder.Cluster));
        Assert.False(await AnswersAsync(port), "It is removed, and something answers on its port.");
        Assert.False(Directory.Exists(folder.Cluster));
        Assert.Equal("", await PostgresScript.DoAsync("remove", folder.Cluster));
        Assert.Equal("", await PostgresScript.DoAsync("stop", folder.Cluster));
    }

    [Fact]
    public async Task A_cluster_is_durable_asks_for_passwords_and_listens_on_loopback_only()
    {
        var server = await PostgresScript.DoAsync("start", shared.Cluster);
        var settings = """
            SELECT string_agg(name || '=' || setting, ' ' ORDER BY name COLLATE "C") FROM pg_settings WHERE name IN ('data_checksums', 'fsync',
                'full_page_writes', 'listen_addresses', 'log_lock_waits', 'max_connections', 'max_prepared_transactions', 'password_encryption',
                'server_encoding', 'unix_socket_directories')
            """;

        Assert.Equal(
            "data_checksums=on fsync=on full_page_writes=on listen_addresses=127.0.0.1 log_lock_waits=on max_connections=200 "
            + "max_prepared_transactions=0 password_encryption=scram-sha-256 server_encoding=UTF8 unix_socket_directories=",
            await AskAsync(server, settings));
        Assert.Equal("scram-sha-256", await AskAsync(server, "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules"));
        Assert.Equal("C", ((string)(await AskAsync(server, "SELECT datcollate FROM pg_database WHERE datname = 'coppice'"))!).Split('.')[0]);

        var port = new NpgsqlConnectionStringBuilder(server).Port;
        var others = NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(address => address.Address).Where(address => !IPAddress.IsLoopback(address));
        foreach (var address in others)
        {
            Assert.False(await AnswersAsync(port, address), $"It listens on {address}.");
        }

        var wrong = new NpgsqlConnectionStringBuilder(server) { Password = "wrong" }.ConnectionString;
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => AskAsync(wrong, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(shared.Cluster, "password")));
    }

    [Fact]
    public async Task Starts_at_the_same_time_take_turns()
    {
        await using var folder = new ScratchFolder();

        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostgresScript.DoAsync("start", folder.Cluster)));

        Assert.Single(answers.Distinct());
        Assert.Equal(1, await AskAsync(answers[0], "SELECT 1"));
    }

    [Fact]
    public async Task Starts_and_removals_at_the_same_time_leave_one_cluster_or_none()
    {
        await using var folder = new ScratchFolder();
        string[] commands = ["start", "remove", "start", "remove", "start"];

        await Task.WhenAll(commands.Select(command => PostgresScript.DoAsync(command, folder.Cluster)));

        Assert.Equal(1, await AskAsync(await PostgresScript.DoAsync("start", folder.Cluster), "SELECT 1"));
        Assert.Empty(Directory.EnumerateDirectories(Path.GetDirectoryName(folder.Cluster)!, "*.removed.*"));
    }

    [Fact]
    public async Task A_server_that_was_killed_starts_again()
    {
        await AskAsync(await PostgresScript.DoAsync("start", shared.Cluster), "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 7 AS value");
        using (var server = Process.GetProcessById(int.Parse(File.ReadLines(PidFile).First(), CultureInfo.InvariantCulture)))
        {
            server.Kill();
            await server.WaitForExitAsync(Stop);
        }

        Assert.Equal(3, (await PostgresScript.RunAsync("status", shared.Cluster)).ExitCode);
        Assert.Equal(7, await AskAsync(await PostgresScript.DoAsync("start", shared.Cluster), "SELECT value FROM kept"));
    }

    [Fact]
    public async Task A_process_that_has_the_number_of_a_dead_server_is_not_taken_for_it()
    {
        await PostgresScript.DoAsync("start", shared.Cluster);
        var lines = File.ReadAllLines(PidFile);
        await PostgresScript.DoAsync("stop", shared.Cluster);
        File.WriteAllLines(PidFile, [Environment.ProcessId.ToString(CultureInfo.InvariantCulture), .. lines[1..]]);

        Assert.Equal(3, (await PostgresScript.RunAsync("status", shared.Cluster)).ExitCode);
        Assert.Equal(1, await AskAsync(await PostgresScript.DoAsync("start", shared.Cluster), "SELECT 1"));
    }

    [Fact]
    public async Task A_port_that_was_taken_meanwhile_is_given_up_for_another()
    {
        var before = new NpgsqlConnectionStringBuilder(await PostgresScript.DoAsync("start", shared.Cluster));
        await PostgresScript.DoAsync("stop", shared.Cluster);
        using var other = new TcpListener(IPAddress.Loopback, before.Port);
        other.Start();

        var after = new NpgsqlConnectionStringBuilder(await PostgresScript.DoAsync("start", shared.Cluster));

        Assert.NotEqual(before.Port, after.Port);
        Assert.Equal(1, await AskAsync(after.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_half_made_cluster_is_made_anew()
    {
        await PostgresScript.DoAsync("start", shared.Cluster);
        await PostgresScript.DoAsync("stop", shared.Cluster);
        File.Delete(Path.Combine(shared.Cluster, "ready"));
        File.Delete(Path.Combine(shared.Cluster, "data", "PG_VERSION"));

        Assert.Equal(1, await AskAsync(await PostgresScript.DoAsync("start", shared.Cluster), "SELECT 1"));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("restart")]
    [InlineData("remove")]
    public async Task A_folder_of_something_else_is_left_alone(string command)
    {
        await using var folder = new ScratchFolder();
        var file = Path.Combine(Directory.CreateDirectory(folder.Cluster).FullName, "thesis.txt");
        await File.WriteAllTextAsync(file, "years of work", Stop);

        var answer = await PostgresScript.RunAsync(command, folder.Cluster);

        Assert.Equal((1, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("holds no cluster of this script", answer.Error, StringComparison.Ordinal);
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(folder.Cluster));
    }

    [Fact]
    public async Task A_folder_that_the_user_of_the_server_cannot_reach_is_replaced_by_one_that_it_can()
    {
        await using var folder = new ScratchFolder(reachable: false);

        var answer = await PostgresScript.RunAsync("start", folder.Cluster);

        Assert.Equal(1, await AskAsync(answer.Output, "SELECT 1"));
        Assert.Equal(!Environment.IsPrivilegedProcess, Directory.Exists(folder.Cluster));
        Assert.Equal(Environment.IsPrivilegedProcess, answer.Error.Contains("cannot reach", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Help_names_every_command()
    {
        var answer = await PostgresScript.RunAsync("--help");

        Assert.Equal((0, ""), (answer.ExitCode, answer.Error));
        Assert.All(Commands, command => Assert.Contains($"eng/postgres.sh {command} ", answer.Output, StringComparison.Ordinal));
        Assert.Contains("COPPICE_POSTGRES_BIN", answer.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no command \"begin\"; there are start, stop, restart, status, remove, standby, promote and kill.", "begin")]
    [InlineData("A command is missing: start, stop, restart, status, remove, standby, promote or kill.")]
    [InlineData("There is no option \"--fast\".", "start", "--fast")]
    [InlineData("--immediate is for restart.", "stop", "--immediate")]
    [InlineData("One folder at a time", "status", "/tmp/one", "/tmp/other")]
    [InlineData("The folder is named by an empty string.", "remove", "")]
    [InlineData("will not do", "start", "/tmp/$HOME")]
    public async Task A_mistake_is_answered_with_what_would_be_right(string says, params string[] arguments)
    {
        var answer = await PostgresScript.RunAsync(arguments);

        Assert.Equal((1, ""), (answer.ExitCode, answer.Output));
        Assert.Contains(says, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_without_server_programs_is_refused_by_name()
    {
        await using var folder = new ScratchFolder();

        var answer = await PostgresScript.RunAsync(
            ["start", folder.Cluster], new Dictionary<string, string?> { ["COPPICE_POSTGRES_BIN"] = "/nowhere/at/all" });

        Assert.Equal((1, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("COPPICE_POSTGRES_BIN is /nowhere/at/all", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_programs_that_are_too_old_are_refused_with_the_version_that_is_needed()
    {
        await using var folder = new ScratchFolder();
        await using var programs = new ScratchFolder();
        var bin = Directory.CreateDirectory(programs.Cluster).FullName;
        foreach (var name in new[] { "initdb", "pg_ctl", "postgres" })
        {
            var program = Path.Combine(bin, name);
            await File.WriteAllTextAsync(program, "#!/bin/sh\necho 'postgres (PostgreSQL) 12.22'\n", Stop);
            File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        }

        var answer = await PostgresScript.RunAsync(["start", folder.Cluster], new Dictionary<string, string?> { ["COPPICE_POSTGRES_BIN"] = bin });

        Assert.Equal((1, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("is PostgreSQL 12; it must be 13 or newer", answer.Error, StringComparison.Ordinal);
    }

    /// <summary>Asks on a connection that no later test gets.</summary>
    private static async Task<object?> AskAsync(string server, string sql)
    {
        var alone = new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString;
        await using var source = NpgsqlDataSource.Create(alone);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Stop);
    }

    private static async Task<bool> AnswersAsync(int port, IPAddress? address = null)
    {
        address ??= IPAddress.Loopback;
        using var client = new TcpClient(address.AddressFamily);
        try
        {
            await client.ConnectAsync(address, port, Stop);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
