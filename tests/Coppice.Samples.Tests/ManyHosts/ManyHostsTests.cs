using System.Diagnostics;
using System.Text.RegularExpressions;
using Coppice.PostgreSql.Tests.Support;
using Coppice.Samples.Tests.Support;
using Npgsql;

namespace Coppice.Samples.Tests.ManyHosts;

/// <summary>The demonstration as a user runs it.</summary>
public sealed partial class ManyHostsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tree_whose_host_is_killed_grows_back_on_the_others()
    {
        var server = await PostgresServer.ConnectionStringAsync();
        var start = new ProcessStartInfo("bash", [FindScript()]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["COPPICE_POSTGRES"] = server;
        start.Environment["MANY_HOSTS_PROGRAM"] = Path.Combine(AppContext.BaseDirectory, "ManyHosts");
        using var demo = Process.Start(start)!;
        var (output, error) = (demo.StandardOutput.ReadToEndAsync(Stop), demo.StandardError.ReadToEndAsync(Stop));
        try
        {
            await demo.WaitForExitAsync(Stop).WaitAsync(Patience, Stop);
            var said = await output + await error;

            Assert.True(demo.ExitCode == 0, said);
            Assert.Contains("The tree is whole: 12 of 12 twigs have grown", said, StringComparison.Ordinal);
            await using var source = NpgsqlDataSource.Create(server);
            await using var drop = source.CreateCommand($"DROP SCHEMA {Schema().Match(said).Value} CASCADE");
            await drop.ExecuteNonQueryAsync(Stop);
        }
        finally
        {
            demo.Kill(entireProcessTree: true);
        }
    }

    [Theory]
    [InlineData]
    [InlineData("serve")]
    [InlineData("nonsense")]
    [InlineData("plant")]
    public async Task What_cannot_be_done_is_refused_with_advice(params string[] arguments)
    {
        var result = await SampleProcess.RunAsync("ManyHosts", new() { ["COPPICE_POSTGRES"] = "" }, arguments);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("--help", result.Error, StringComparison.Ordinal);
    }

    private static string FindScript()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "samples", "ManyHosts", "demo.sh")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("There is no samples/ManyHosts/demo.sh above.");
        }

        return Path.Combine(folder.FullName, "samples", "ManyHosts", "demo.sh");
    }

    [GeneratedRegex("many_hosts_[0-9]+_[0-9]+")]
    private static partial Regex Schema();
}
