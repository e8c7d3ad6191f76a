using Coppice.Workloads.Tests;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Coppice.Workloads.Tests;

/// <summary>
/// The server that measurements of PostgreSQL work on: the one that <c>COPPICE_POSTGRES</c> names, as <c>./test.sh</c> does, else the scratch
/// cluster of <c>eng/postgres.sh</c>, which goes on running for the next time.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public async ValueTask InitializeAsync()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(PostgresServer.Variable)))
        {
            Environment.SetEnvironmentVariable(PostgresServer.Variable, await PostgresServer.ScriptAsync("start"));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
