using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Coppice.Cluster.Tests;

/// <summary>One host of the cluster, as a process.</summary>
internal sealed partial class HostProcess : IDisposable
{
    private const int SigKill = 9;
    private const int SigStop = 19;
    private const int SigContinue = 18;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal HostProcess(string name, string folder, int seed, TimeSpan skew, TimeSpan hostTimeout, string connectionString, string schema)
    {
        (Name, LogPath) = (name, Path.Combine(folder, name + ".log"));
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["COPPICE_CLUSTER_DATABASE"] = connectionString,
                ["COPPICE_CLUSTER_SCHEMA"] = schema,

                // Many processes share few cores here.
                ["DOTNET_gcServer"] = "0",
                ["DOTNET_TieredPGO"] = "0",
            },
        };
        foreach (var argument in new[] { Path.Combine(AppContext.BaseDirectory, "Coppice.ClusterHost.dll"), "host", name, LogPath, Text(seed), Text(skew.TotalMilliseconds), Text(hostTimeout.TotalMilliseconds) })
        {
            start.ArgumentList.Add(argument);
        }

        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.Enqueue(line.Data ?? "");
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    internal string Name { get; }

    internal string LogPath { get; }

    internal bool IsStopped { get; private set; }

    internal bool WasKilled { get; private set; }

    internal bool HasExited => _process.HasExited;

    /// <summary>Gets what the process said of its own end; empty, unless something is wrong.</summary>
    internal string Errors => string.Join('\n', _errors).Trim();

    internal Task ReadyAsync() => _ready.Task.WaitAsync(Limit);

    /// <summary>SIGSTOP: it stands still, and its connections with it.</summary>
    internal void Stop()
    {
        IsStopped = true;
        Signal(SigStop);
    }

    /// <summary>SIGCONT.</summary>
    internal void Continue()
    {
        IsStopped = false;
        Signal(SigContinue);
    }

    internal async Task KillAsync()
    {
        WasKilled = true;
        Signal(SigKill);
        await _process.WaitForExitAsync().WaitAsync(Limit);
    }

    /// <summary>Asks it to begin nothing more, and waits until its callers have done so.</summary>
    internal async Task FinishAsync()
    {
        await _process.StandardInput.WriteLineAsync("finish");
        await _process.StandardInput.FlushAsync();
        await _finished.Task.WaitAsync(Limit);
    }

    internal async Task ExitAsync()
    {
        await _process.StandardInput.WriteLineAsync("exit");
        await _process.StandardInput.FlushAsync();
        await _process.WaitForExitAsync().WaitAsync(Limit);
        Assert.True(_process.ExitCode == 0 && Errors.Length == 0, $"{Name} ended with {_process.ExitCode}. {Errors}");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private static string Text(double number) => number.ToString("0", CultureInfo.InvariantCulture);

    private void Take(string? line)
    {
        switch (line)
        {
            case "READY":
                _ready.TrySetResult();
                break;
            case "FINISHED":
                _finished.TrySetResult();
                break;
            case null:
                var ended = new InvalidOperationException($"{Name} ended too early. {Errors}");
                _ready.TrySetException(ended);
                _finished.TrySetException(ended);
                break;
        }
    }

    private void Signal(int signal) => _ = Kill(_process.Id, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
