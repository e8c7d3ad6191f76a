using System.Diagnostics;
using Npgsql;

namespace Coppice.Workloads;

/// <summary>
/// The server that rows measure: the one that <c>COPPICE_POSTGRES</c> names, else a cluster of its own by <c>eng/postgres.sh</c>, which is
/// removed at the end. What it is told about durability is PostgreSQL's default.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    internal const string Variable = "COPPICE_POSTGRES";

    private readonly bool _isOwn;

    private PostgresServer(bool isOwn) => _isOwn = isOwn;

    /// <summary>Gets its name and version.</summary>
    internal required string Version { get; init; }

    private static string Folder => Repository.PathOf("artifacts", "bench-postgres");

    /// <summary>Starts it, for this process and those that it starts.</summary>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    internal static async Task<PostgresServer> StartAsync()
    {
        var isOwn = string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable));
        if (isOwn)
        {
            // One that a run left behind which was killed may be half of one.
            await ScriptAsync("remove", Folder);
            Environment.SetEnvironmentVariable(Variable, await ScriptAsync("start", Folder));
        }

        await using var source = NpgsqlDataSource.Create(PostgresSchema.Server);
        await using var command = source.CreateCommand("SHOW server_version");
        return new PostgresServer(isOwn) { Version = $"PostgreSQL {await command.ExecuteScalarAsync()}" };
    }

    public async ValueTask DisposeAsync()
    {
        if (_isOwn)
        {
            await ScriptAsync("remove", Folder);
            Environment.SetEnvironmentVariable(Variable, null);
            return;
        }

        await using var source = NpgsqlDataSource.Create(PostgresSchema.Server);
        await using var drop = source.CreateCommand(
            $"""
            DO $do$ DECLARE name text; BEGIN
                FOR name IN SELECT nspname FROM pg_namespace WHERE starts_with(nspname, '{PostgresSchema.Prefix}') LOOP
                    EXECUTE format('DROP SCHEMA %I CASCADE', name);
                END LOOP;
            END $do$
            """);
        await drop.ExecuteNonQueryAsync();
    }

    /// <summary>Runs the script of the repository, and gets what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    internal static async Task<string> ScriptAsync(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("bash", [Repository.PathOf("eng", "postgres.sh"), .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output.TrimEnd('\n')
            : throw new InvalidOperationException($"eng/postgres.sh {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
