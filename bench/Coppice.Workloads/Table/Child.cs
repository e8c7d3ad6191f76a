using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Coppice.Workloads;

/// <summary>One measurement in a process of its own.</summary>
internal static class Child
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    /// <summary>Runs it and gets its figures.</summary>
    /// <exception cref="InvalidOperationException">It failed, or took too long.</exception>
    internal static async Task<Figures> RunAsync(Side side, string parameters, string data)
    {
        var start = Program(["run", side.Measurement, .. parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        start.Environment["COPPICE_BENCH_DATA"] = data;
        if (side.BackgroundCollection is { } background)
        {
            start.Environment["DOTNET_gcConcurrent"] = background ? "1" : "0";
        }

        using var process = Process.Start(start)!;
        using var late = new CancellationTokenSource(Longest, TimeProvider.System);
        try
        {
            var output = await process.StandardOutput.ReadToEndAsync(late.Token);
            await process.WaitForExitAsync(late.Token);
            return process.ExitCode == 0
                ? JsonSerializer.Deserialize(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1], FiguresJson.Default.Figures)!
                : throw new InvalidOperationException(
                    string.Create(CultureInfo.InvariantCulture, $"{side.Measurement} {parameters} ended with {process.ExitCode}."));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new InvalidOperationException($"{side.Measurement} {parameters} took longer than {Longest}.");
        }
    }

    /// <summary>
    /// This program in another process, whose output is read: as it was started itself, or as <c>dotnet program.dll</c>, also when it is tested.
    /// </summary>
    internal static ProcessStartInfo Program(IEnumerable<string> arguments)
    {
        var self = typeof(Child).Assembly.Location;
        return Path.GetFileNameWithoutExtension(Environment.ProcessPath) == Path.GetFileNameWithoutExtension(self)
            ? new(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true }
            : new("dotnet", [self, .. arguments]) { RedirectStandardOutput = true };
    }
}
