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

    private string? _version;
    private bool _isOwn;

    private static string Folder => Repository.PathOf("artifacts", "bench-postgres");

    /// <summary>Starts it unless it runs, for this process and those that it starts, and gets its name and version.</summary>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    internal async Task<string> StartAsync()
    {
        if (_version is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable)))
        {
            // One that a run left behind which was killed may be half of one.
            await ScriptAsync("remove", Folder);
            Environment.SetEnvironmentVariable(Variable, await ScriptAsync("start", Folder));
            _isOwn = true;
        }

        return _version ??= await VersionAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_isOwn)
        {
            await ScriptAsync("remove", Folder);
            Environment.SetEnvironmentVariable(Variable, null);
        }
        else if (_version is not null)
        {
            await DropSchemasAsync();
        }
    }

    private static async Task<string> VersionAsync()
    {
        await using var source = NpgsqlDataSource.Create(PostgresSchema.Server);
        await using var command = source.CreateCommand("SHOW server_version");
        return $"PostgreSQL {await command.ExecuteScalarAsync()}";
    }

    private static async Task DropSchemasAsync()
    {
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
