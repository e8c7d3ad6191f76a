using System.Diagnostics;
using System.Globalization;

namespace Coppice.Benchmarks;

/// <summary>Whether an operation costs the same beside few and beside a million other tasks.</summary>
internal static class ScaleBenchmark
{
    private const int Few = 100;
    private const int Many = 1_000_000;
    private const int Runs = 5;
    private const double MostAllowed = 1.5;

    internal static async Task<Report> RunAsync()
    {
        var few = new List<Dictionary<string, double>>();
        var many = new List<Dictionary<string, double>>();
        for (var run = 0; run < Runs; run++)
        {
            few.Add(await ProbeAsync(Few));
            many.Add(await ProbeAsync(Many));
            Console.WriteLine($"scale: run {run + 1} of {Runs}");
        }

        var report = new Report(
            "Cost beside other tasks, in memory",
            $"Nanoseconds a call, one caller. The others lie on {ScaleProbe.Threads} threads; one in {ScaleProbe.LiveShare} is live and parked. "
            + "Each size runs in a process of its own, so that the collector's work counts. \"Any of them\" reads at random among the others "
            + "and shows the memory's caches more than the store; it has no goal.",
            "operation", $"beside {Report.Thousands(Few)}", $"beside {Report.Thousands(Many)}", "ratio", $"goal: at most {MostAllowed.ToString(CultureInfo.InvariantCulture)}");
        foreach (var operation in few[0].Keys)
        {
            var small = Report.Median(few.Select(r => r[operation]));
            var large = Report.Median(many.Select(r => r[operation]));
            var ratio = large / small;
            report.Add(
                operation, Report.Thousands(small), Report.Thousands(large), Report.Ratio(ratio),
                operation == ScaleProbe.GetAny ? "" : report.Goal(ratio <= MostAllowed));
        }

        return report;
    }

    private static async Task<Dictionary<string, double>> ProbeAsync(int others)
    {
        using var process = Process.Start(new ProcessStartInfo(
            Environment.ProcessPath!, [.. Self(), ScaleProbe.Argument, others.ToString(CultureInfo.InvariantCulture)]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode != 0
            ? throw new InvalidOperationException($"The probe beside {others} tasks failed.")
            : output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t'))
                .ToDictionary(cells => cells[0], cells => double.Parse(cells[1], CultureInfo.InvariantCulture));
    }

    /// <summary>This program, when it was started as <c>dotnet program.dll</c>.</summary>
    private static string[] Self() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(ScaleBenchmark).Assembly.Location] : [];
}
