using System.Diagnostics;
using System.Text;

namespace Coppice.Samples.Tests.Support;

/// <summary>What a sample printed, and how it ended.</summary>
internal sealed record SampleResult(int ExitCode, string Output, string Error);

/// <summary>A built sample as a process of its own.</summary>
internal static class SampleProcess
{
    internal const string KillAtVariable = "COPPICE_TEST_KILL_AT";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Runs it to its end. Of the environment it has no model but the one that is given here.</summary>
    internal static async Task<SampleResult> RunAsync(string sample, Dictionary<string, string> environment, params string[] arguments)
    {
        using var process = Start(sample, environment, arguments);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(Stop);
            var error = process.StandardError.ReadToEndAsync(Stop);
            await process.WaitForExitAsync(Stop).WaitAsync(Patience, Stop);
            return new(process.ExitCode, (await output).ReplaceLineEndings("\n"), (await error).ReplaceLineEndings("\n"));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Runs it until it prints a line that holds a text, where it is killed.</summary>
    internal static async Task KillAtAsync(string text, string sample, params string[] arguments)
    {
        var result = await RunAsync(
            sample, new() { ["DOTNET_STARTUP_HOOKS"] = typeof(SampleProcess).Assembly.Location, [KillAtVariable] = text }, arguments);

        const int killed = 128 + 9;
        Assert.True(result.ExitCode == killed, $"It ended with {result.ExitCode}, without a line that holds '{text}'.\n{result.Output}{result.Error}");
    }

    private static Process Start(string sample, Dictionary<string, string> environment, string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, sample), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("OPENAI_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }
}
