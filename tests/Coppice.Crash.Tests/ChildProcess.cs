using System.Collections.Concurrent;
using System.Diagnostics;

namespace Coppice.Crash.Tests;

/// <summary>The process that is made to be killed, and the lines it has written.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _wrote = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _outputEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile int _awaitedLines = int.MaxValue;

    private ChildProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    internal IReadOnlyCollection<string> Lines => _lines;

    internal string Errors => string.Join('\n', _errors);

    internal static ChildProcess Start(params string[] arguments) => Run("dotnet", [ChildPath, .. arguments]);

    /// <summary>Starts it under strace, which writes the calls that matter for durability to a file.</summary>
    internal static ChildProcess StartTraced(string traceFile, params string[] arguments) =>
        Run("strace", ["-f", "-qq", "-y", "-e", "trace=fdatasync,fsync,write", "-o", traceFile, "dotnet", ChildPath, .. arguments]);

    internal Task BegunAsync(CancellationToken cancellationToken) =>
        _begun.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);

    /// <summary>Completes when the child has written so many lines.</summary>
    internal async Task WroteAsync(int lines, CancellationToken cancellationToken)
    {
        _awaitedLines = lines;
        if (_lines.Count >= lines)
        {
            _wrote.TrySetResult();
        }

        await _wrote.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
    }

    internal async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(120), cancellationToken);
        await _outputEnded.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellationToken);
        return _process.ExitCode;
    }

    /// <summary>SIGKILL, and everything it had written until then.</summary>
    internal async Task KillAsync(CancellationToken cancellationToken)
    {
        _process.Kill();
        await ExitAsync(cancellationToken);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private static string ChildPath => Path.Combine(AppContext.BaseDirectory, "Coppice.CrashChild.dll");

    private static ChildProcess Run(string program, string[] arguments) => new(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        UseShellExecute = false,
    });

    private void Take(string? line)
    {
        if (line is null)
        {
            _outputEnded.TrySetResult();
            var ended = new InvalidOperationException("The child ended too early. " + Errors);
            _begun.TrySetException(ended);
            _wrote.TrySetException(ended);
            return;
        }

        _lines.Enqueue(line);
        if (line == "BEGIN")
        {
            _begun.TrySetResult();
        }

        if (_lines.Count >= _awaitedLines)
        {
            _wrote.TrySetResult();
        }
    }
}
