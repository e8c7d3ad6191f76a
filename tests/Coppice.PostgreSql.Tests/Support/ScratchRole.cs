using System.Security.Cryptography;
using Npgsql;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A role of a test's own that may log in and nothing else. What it was granted is taken back, and the role dropped, at the end.</summary>
internal sealed class ScratchRole : IAsyncDisposable
{
    private readonly string _password = RandomNumberGenerator.GetHexString(32);

    private ScratchRole(string name) => Name = name;

    public string Name { get; }

    private string Quoted => $"\"{Name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Makes the role.</summary>
    /// <param name="prefix">What its name begins with, which may be hostile.</param>
    public static async Task<ScratchRole> CreateAsync(string prefix = "r_")
    {
        var role = new ScratchRole(prefix + RandomNumberGenerator.GetHexString(12, lowercase: true));
        await ExecuteAsync($"CREATE ROLE {role.Quoted} LOGIN PASSWORD '{role._password}'");
        return role;
    }

    /// <summary>The connection string with which it logs in.</summary>
    public async Task<string> ConnectionStringAsync() =>
        new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync()) { Username = Name, Password = _password }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await ExecuteAsync($"DROP OWNED BY {Quoted}");
        await ExecuteAsync($"DROP ROLE {Quoted}");
    }

    private static async Task ExecuteAsync(string sql)
    {
        var source = await PostgresServer.DataSourceAsync();
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
