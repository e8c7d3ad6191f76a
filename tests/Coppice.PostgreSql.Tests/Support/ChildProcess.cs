using System.Diagnostics;
using System.Globalization;
using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.Support;

/// <summary>A host in a process of its own, which runs tasks and is made to be killed.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process) => _process = process;

    public static ChildProcess Start(string connectionString, string schema, int tasks) => new(Process.Start(new ProcessStartInfo(
        Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet",
        [Path.Combine(AppContext.BaseDirectory, "Coppice.PostgreSql.TestChild.dll"), connectionString, schema, tasks.ToString(CultureInfo.InvariantCulture)])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!);

    /// <summary>The ids of its tasks, once all of them run.</summary>
    public async Task<string[]> TasksAsync()
    {
        var line = await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().Within();
        return line?.Split(' ') ?? throw new InvalidOperationException(await _process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken).Within());
    }

    /// <summary>SIGKILL.</summary>
    public void Kill() => _process.Kill();

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
