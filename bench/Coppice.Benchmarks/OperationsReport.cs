using System.Globalization;
using System.Text;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Coppice.Benchmarks;

/// <summary>Runs the operations and writes down what they cost.</summary>
internal static class OperationsReport
{
    internal static int Run(string[] args)
    {
        var config = ManualConfig.CreateEmpty()
            .AddColumnProvider(DefaultColumnProviders.Instance)
            .AddLogger(ConsoleLogger.Default)
            .WithArtifactsPath(Path.Combine(Root(), "artifacts", "benchmarkdotnet"))
            .WithOptions(ConfigOptions.DisableLogFile);
        var summaries = BenchmarkSwitcher.FromTypes([typeof(InMemoryOperations), typeof(SqliteOperations)])
            .Run(args.Length > 0 ? args : ["--filter", "*"], config)
            .ToList();
        if (summaries.Count == 0 || summaries.Any(summary => summary.HasCriticalValidationErrors || summary.Reports.Any(report => !report.Success)))
        {
            return 1;
        }

        // A part of them is for looking at, not for keeping.
        if (summaries.Count == 2 && summaries.All(summary => summary.Reports.Length == Operations.Count))
        {
            var results = Directory.CreateDirectory(Path.Combine(Root(), "bench", "results")).FullName;
            File.WriteAllText(Path.Combine(results, "operations.md"), ToMarkdown(summaries));
        }

        return 0;
    }

    private static string ToMarkdown(IEnumerable<Summary> summaries)
    {
        var text = new StringBuilder("# Single operations\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Measured on {TimeProvider.System.GetUtcNow():yyyy-MM-dd} with BenchmarkDotNet, one caller. What each does is said in ");
        text.Append("[its benchmark](../Coppice.Benchmarks/Operations.cs). The SQLite store writes with synchronous=FULL, so what changes it waits for the disk.\n");
        foreach (var summary in summaries)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {(summary.BenchmarksCases[0].Descriptor.Type == typeof(SqliteOperations) ? "In a SQLite file" : "In memory")}\n\n");
            var log = new AccumulationLogger();
            MarkdownExporter.GitHub.ExportToLog(summary, log);
            text.Append(log.GetLog().ReplaceLineEndings("\n").Trim()).Append('\n');
        }

        return text.ToString();
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Coppice.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"There is no Coppice.slnx above {AppContext.BaseDirectory}.");
    }
}
