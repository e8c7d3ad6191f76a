using System.Diagnostics;
using Coppice.StoreContract;

namespace Coppice.Sqlite.Tests;

/// <summary>The helper program in a process of its own, as this user or as one who may do nothing.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public static ChildProcess Start(string command, string path, bool unprivileged = false)
    {
        var start = new ProcessStartInfo
        {
            FileName = Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (unprivileged && Environment.IsPrivilegedProcess)
        {
            start.ArgumentList.Add("--reuid=65534");
            start.ArgumentList.Add("--regid=65534");
            start.ArgumentList.Add("--clear-groups");
            start.ArgumentList.Add(start.FileName);
            start.FileName = "setpriv";
        }

        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "Coppice.Sqlite.TestChild.dll"));
        start.ArgumentList.Add(command);
        start.ArgumentList.Add(path);
        return new ChildProcess(Process.Start(start)!);
    }

    /// <summary>Runs a command to its end and returns what it said.</summary>
    public static async Task<string> RunAsync(string command, string path, bool unprivileged = false)
    {
        using var child = Start(command, path, unprivileged);
        return await child.SaidAsync();
    }

    public async Task<string> SaidAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().Within();
        return line ?? await _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken).Within();
    }

    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).Within();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
