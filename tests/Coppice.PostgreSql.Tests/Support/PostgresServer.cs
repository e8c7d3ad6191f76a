using Npgsql;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>
/// The server that the tests of this process share: the one that <c>COPPICE_POSTGRES</c> names by its connection string, as
/// <c>./test.sh</c> does, else the scratch cluster of <c>eng/postgres.sh</c>, which goes on running for the next time.
/// </summary>
internal static class PostgresServer
{
    private const string Variable = "COPPICE_POSTGRES";

    private static readonly Lazy<Task<string>> Found = new(FindAsync);
    private static readonly Lazy<Task<NpgsqlDataSource>> Source = new(ConnectAsync);

    /// <summary>The connection string, password included.</summary>
    /// <exception cref="InvalidOperationException">No server is named, and none could be started.</exception>
    public static Task<string> ConnectionStringAsync() => Found.Value;

    /// <summary>What connections come from. It belongs to the whole process: nobody disposes it.</summary>
    /// <exception cref="InvalidOperationException">No server is named, and none could be started.</exception>
    public static Task<NpgsqlDataSource> DataSourceAsync() => Source.Value;

    private static async Task<NpgsqlDataSource> ConnectAsync() => NpgsqlDataSource.Create(await Found.Value);

    private static async Task<string> FindAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return named;
        }

        var answer = await PostgresScript.RunAsync("start");
        return answer.ExitCode == 0
            ? answer.Output.TrimEnd('\n')
            : throw new InvalidOperationException(
                $"""
                These tests need a PostgreSQL server. {Variable} names none, and "eng/postgres.sh start" failed with exit code {answer.ExitCode}:
                {answer.Error}
                """);
    }
}
