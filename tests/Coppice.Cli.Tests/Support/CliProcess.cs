using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Coppice.Cli.Tests.Support;

/// <summary>The built command as a process of its own.</summary>
internal sealed class CliProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly List<string> _said = [];
    private readonly List<(string Beginning, TaskCompletionSource Wait)> _waits = [];
    private readonly Task<string> _out;
    private readonly Task _errorRead;

    private CliProcess(Process process)
    {
        _process = process;
        _out = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        _errorRead = ReadErrorAsync();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Starts it in a folder, with its streams redirected.</summary>
    public static CliProcess Start(string folder, params string[] arguments) => Start(folder, unprivileged: false, environment: [], arguments);

    /// <summary>Starts it; where the tests run as root and it is to be unprivileged, without the right to read what it may not.</summary>
    public static CliProcess Start(string folder, bool unprivileged, Dictionary<string, string> environment, params string[] arguments)
    {
        List<string> line = [Path.Combine(AppContext.BaseDirectory, "Coppice.Cli"), .. arguments];
        if (unprivileged && Environment.IsPrivilegedProcess)
        {
            const string Rights = "-dac_override,-dac_read_search";
            line.InsertRange(0, ["setpriv", $"--bounding-set={Rights}", $"--inh-caps={Rights}"]);
        }

        var start = new ProcessStartInfo(line[0], line.Skip(1))
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new CliProcess(Process.Start(start)!);
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<CliResult> RunAsync(string folder, params string[] arguments)
    {
        using var process = Start(folder, arguments);
        return await process.WaitAsync();
    }

    /// <summary>Runs it to its end, and reads its output as JSON.</summary>
    public static async Task<JsonElement> JsonAsync(string folder, params string[] arguments)
    {
        var result = await RunAsync(folder, arguments);
        Assert.True(result.ExitCode == 0, $"exit code {result.ExitCode}: {result.Error}");
        return result.Json();
    }

    /// <summary>Waits until a line that it writes on standard error begins so.</summary>
    public Task HasSaidAsync(string beginning)
    {
        lock (_said)
        {
            if (_said.Any(line => line.StartsWith(beginning, StringComparison.Ordinal)))
            {
                return Task.CompletedTask;
            }

            var wait = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waits.Add((beginning, wait));
            return wait.Task.WaitAsync(Patience, Stop);
        }
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public async Task<CliResult> WaitAsync()
    {
        await _process.WaitForExitAsync(Stop).WaitAsync(Patience, Stop);
        await _errorRead.WaitAsync(Patience, Stop);
        return new CliResult(_process.ExitCode, await _out.WaitAsync(Patience, Stop), string.Concat(_said.Select(line => line + "\n")));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task ReadErrorAsync()
    {
        while (await _process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
        {
            lock (_said)
            {
                _said.Add(line);
                foreach (var (beginning, wait) in _waits)
                {
                    if (line.StartsWith(beginning, StringComparison.Ordinal))
                    {
                        wait.TrySetResult();
                    }
                }
            }
        }
    }
}
