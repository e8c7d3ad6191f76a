using System.ComponentModel;
using System.Text.RegularExpressions;

namespace Coppice.Crash.Tests;

/// <summary>Law 1: what stands before each acknowledgement.</summary>
public sealed partial class SyncTests
{
    private const int Spawns = 40;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Law01_The_trace_of_system_calls_shows_a_sync_of_the_log_before_each_acknowledgement()
    {
        using var folder = new StoreFolder();
        var trace = folder.PathOf("trace");
        using (var child = Start(trace, folder.DatabasePath))
        {
            Assert.Equal(0, await child.ExitAsync(Stop));
            Assert.Equal(Spawns, child.Lines.Count(line => line.StartsWith("S ", StringComparison.Ordinal)));
        }

        var syncs = 0;
        var acknowledged = 0;
        foreach (var line in await File.ReadAllLinesAsync(trace, Stop))
        {
            if (SyncOfLog().IsMatch(line))
            {
                syncs++;
            }
            else if (Acknowledgement().IsMatch(line))
            {
                Assert.True(syncs > 0, $"Acknowledgement {acknowledged} came without a sync: {line}");
                acknowledged++;
                syncs = 0;
            }
        }

        Assert.Equal(Spawns, acknowledged);
    }

    private static ChildProcess Start(string trace, string databasePath)
    {
        try
        {
            return ChildProcess.StartTraced(trace, "serial", databasePath, $"{Spawns}");
        }
        catch (Win32Exception) when (Environment.GetEnvironmentVariable("CI") != "true")
        {
            Assert.Skip("strace is not installed; ./test.sh installs it where it can.");
            throw;
        }
    }

    // The bundled SQLite calls fsync, which does all that fdatasync does. With -f a call that another thread interrupts is cut in two; its end says "resumed".
    [GeneratedRegex(@"(fdatasync|fsync)\(\d+<[^>]*-wal>\)\s*=\s*0|<\.\.\. (fdatasync|fsync) resumed>\)\s*=\s*0")]
    private static partial Regex SyncOfLog();

    [GeneratedRegex(@"write\(\d+<[^>]*>, ""S bg_\d+\\n""")]
    private static partial Regex Acknowledgement();
}
