using System.Globalization;
using Coppice.PostgreSql.Tests.Support;
using Npgsql;

namespace Coppice.Cluster.Tests;

/// <summary>A database server of a test's own, for it is restarted and killed.</summary>
internal sealed class ClusterServer : IAsyncDisposable
{
    private readonly string _folder;
    private NpgsqlDataSource _source;

    private ClusterServer(string folder, string connectionString) =>
        (_folder, ConnectionString, _source) = (folder, connectionString, Source(connectionString));

    internal string ConnectionString { get; private set; }

    internal string Folder => _folder;

    internal int Port => new NpgsqlConnectionStringBuilder(ConnectionString).Port;

    internal static async Task<ClusterServer> StartAsync()
    {
        var folder = NewFolder();
        return new ClusterServer(folder, await PostgresScript.DoAsync("start", folder));
    }

    /// <summary>Makes a standby, which confirms each commit from when this returns.</summary>
    internal async Task<ClusterServer> StartStandbyAsync()
    {
        var folder = NewFolder();
        var standby = new ClusterServer(folder, await PostgresScript.DoAsync("standby", folder, _folder));
        while (await QueryAsync<long>("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 0)
        {
        }

        return standby;
    }

    /// <summary>SIGKILL.</summary>
    internal Task KillAsync() => PostgresScript.DoAsync("kill", _folder);

    internal Task PromoteAsync() => PostgresScript.DoAsync("promote", _folder);

    /// <summary>The connection string of whoever goes by another port, as by a proxy.</summary>
    internal string Through(params int[] ports) => new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        Host = string.Join(',', ports.Select(static port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"))),
        Timeout = 5,
    }.ConnectionString;

    /// <summary>Restarts it: as a person does, or as after a crash.</summary>
    internal async Task RestartAsync(bool immediately)
    {
        await PostgresScript.DoAsync(immediately ? ["restart", _folder, "--immediate"] : ["restart", _folder]);
    }

    internal Task StopAsync() => PostgresScript.DoAsync("stop", _folder);

    internal async Task StartAgainAsync()
    {
        ConnectionString = await PostgresScript.DoAsync("start", _folder);
        await _source.DisposeAsync();
        _source = Source(ConnectionString);
    }

    internal async Task<T> QueryAsync<T>(string sql, params object[] values)
    {
        await using var command = _source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return (T)(await command.ExecuteScalarAsync())!;
    }

    internal async Task ExecuteAsync(string sql)
    {
        await using var command = _source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static string NewFolder() =>
        Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"coppice-cluster-{Environment.ProcessId}-{Guid.NewGuid():N}"));

    // Connections of a server that was restarted are of no more use.
    private static NpgsqlDataSource Source(string connectionString) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false });

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await PostgresScript.RunAsync("remove", _folder);
    }
}
