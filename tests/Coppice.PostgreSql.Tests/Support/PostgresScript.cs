using System.Diagnostics;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>What <c>eng/postgres.sh</c> answered.</summary>
internal sealed record ScriptAnswer(int ExitCode, string Output, string Error);

/// <summary><c>eng/postgres.sh</c> of the repository that these tests were built in.</summary>
internal static class PostgresScript
{
    // To make a cluster takes a second or two; to install the programs may take minutes.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private static string Path { get; } = FindScript();

    public static Task<ScriptAnswer> RunAsync(params string[] arguments) => RunAsync(arguments, new Dictionary<string, string?>());

    public static async Task<ScriptAnswer> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string?> environment)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        var ended = Task.WhenAll(output, error, process.WaitForExitAsync());
        try
        {
            await ended.WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Runs a command that must succeed, and returns what it printed without the end of the line.</summary>
    public static async Task<string> DoAsync(params string[] arguments)
    {
        var answer = await RunAsync(arguments);
        Assert.True(answer.ExitCode == 0, $"postgres.sh {string.Join(' ', arguments)} (exit code {answer.ExitCode}): {answer.Error}");
        return answer.Output.TrimEnd('\n');
    }

    private static string FindScript()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var script = System.IO.Path.Combine(folder.FullName, "eng", "postgres.sh");
            if (File.Exists(script))
            {
                return script;
            }
        }

        throw new InvalidOperationException($"There is no eng/postgres.sh above {AppContext.BaseDirectory}.");
    }
}
