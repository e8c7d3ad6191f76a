using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A PgBouncer of a test's own, in front of the server that the tests share.</summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly string _folder;

    private PgBouncer(Process process, string folder, string connectionString)
    {
        _process = process;
        _folder = folder;
        ConnectionString = connectionString;
    }

    /// <summary>Gets the connection string that leads through it.</summary>
    public string ConnectionString { get; }

    /// <summary>Starts one, or skips the test where the program is not there.</summary>
    /// <param name="mode">Its pool_mode.</param>
    /// <param name="poolSize">How many connections to the server it has for a user and database.</param>
    public static async Task<PgBouncer> StartAsync(string mode, int poolSize = 20)
    {
        var program = new[] { "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer" }.FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "PgBouncer is not installed (Debian and Ubuntu: apt-get install pgbouncer).");

        var server = new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync());
        var folder = Directory.CreateTempSubdirectory("coppice-pgbouncer-").FullName;
        var port = FreePort();
        await File.WriteAllTextAsync(Path.Combine(folder, "users.txt"), $"\"{server.Username}\" \"{server.Password}\"\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "pgbouncer.ini"), $"""
            [databases]
            * = host={server.Host} port={server.Port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {folder}/users.txt
            pool_mode = {mode}
            default_pool_size = {poolSize}
            max_client_conn = 200
            ignore_startup_parameters = extra_float_digits

            """);
        List<string> line = [program!, "-q", Path.Combine(folder, "pgbouncer.ini")];
        if (Environment.IsPrivilegedProcess && !OperatingSystem.IsWindows())
        {
            // It refuses to run as root.
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
            line.InsertRange(1, ["-u", "nobody"]);
        }

        var process = Process.Start(new ProcessStartInfo(line[0], line.Skip(1)) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        var bouncer = new PgBouncer(process, folder, new NpgsqlConnectionStringBuilder(server.ConnectionString) { Port = port, Pooling = false }.ConnectionString);
        await bouncer.AnswersAsync();
        return bouncer;
    }

    public ValueTask DisposeAsync()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task AnswersAsync()
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(ConnectionString);
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (!_process.HasExited && TimeProvider.System.GetElapsedTime(start) < Patience)
            {
                // It tells nobody when it listens.
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
    }
}
