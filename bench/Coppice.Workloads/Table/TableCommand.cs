using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Measures rows and writes the table.</summary>
internal static class TableCommand
{
    internal static int Usage()
    {
        Console.Error.WriteLine(
            $"""
            Usage: bench/run.sh [--quick] [--runs N] [--render] [ROW…]

              --quick   tiny sizes and one run, to see that everything works; the results go to artifacts/
              --runs N  so many runs of each side instead of 5 or 9; counts that are exact need one
              --render  measures nothing: writes the table anew from the results, for example after a change of bench/reasons.md
              ROW       only these rows; a name stands for all that begin with it. All by default:
                        {string.Join("\n            ", Rows.All.Select(row => row.Name))}
            """);
        return 2;
    }

    internal static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var isQuick = arguments.Contains("--quick");
        var isRenderOnly = arguments.Contains("--render");
        int? runs = null;
        var rows = new List<Row>();
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--quick" or "--render":
                    break;
                case "--runs" when i + 1 < arguments.Count && int.TryParse(arguments[i + 1], CultureInfo.InvariantCulture, out var count) && count > 0:
                    runs = count;
                    i++;
                    break;
                case var name when Find(name) is [_, ..] found:
                    rows.AddRange(found);
                    break;
                default:
                    return Usage();
            }
        }

        var results = isQuick ? Repository.QuickResults : Repository.Results;
        var allRan = isRenderOnly || await MeasureAsync(rows.Count > 0 ? [.. rows.Distinct()] : Rows.All, isQuick, runs, results);
        Write(results, isQuick);
        return allRan ? 0 : 1;
    }

    private static List<Row> Find(string name) =>
        [.. Rows.All.Where(row => row.Name == name || row.Name.StartsWith(name + "-", StringComparison.Ordinal))];

    private static async Task<bool> MeasureAsync(IReadOnlyList<Row> rows, bool isQuick, int? runs, string results)
    {
        var data = Repository.Data;
        var machine = MachineFacts.Measure(data, isQuick ? 20 : 500);
        Progress(machine.ToText());
        var allRan = true;
        await using var server = new PostgresServer();
        foreach (var row in rows)
        {
            try
            {
                var result = new RowResult
                {
                    Row = row.Name,
                    Commit = Environment.GetEnvironmentVariable("COPPICE_COMMIT") is { Length: > 0 } commit ? commit : "unknown",
                    Date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                    Machine = machine with { Server = row.IsOnServer ? await server.StartAsync() : null },
                };
                if (row.File is { } file)
                {
                    Progress($"{row.Name}: {(row.IsOnServer ? "its tables" : "its file")}");
                    await Child.RunAsync(file, $"{(isQuick ? file.Quick : file.Full)} path={RowRun.FileOf(row, data, isQuick)}", data);
                }

                await new RowRun(row, isQuick, data, Progress).RunAsync(row.IsExact ? 1 : runs ?? (isQuick ? 1 : row.Runs), result);
                result.Save(results);
            }
            catch (InvalidOperationException e)
            {
                Progress($"{row.Name} was not measured: {e.Message}");
                allRan = false;
            }
        }

        return allRan;
    }

    /// <summary>Writes the table from all results there are, and copies it to the pages that show it.</summary>
    private static void Write(string results, bool isQuick)
    {
        var measured = Rows.All.Select(row => (Row: row, Result: RowResult.Load(results, row.Name)!)).Where(each => each.Result is not null).ToList();
        var reasons = Notes.Load(Repository.PathOf("bench", "reasons.md"));
        var table = TableText.Render(measured, reasons);
        Directory.CreateDirectory(results);
        File.WriteAllText(Path.Combine(results, "table.md"), "# Whole workloads\n\n" + table);
        var allocations = measured.Find(each => each.Row.Name == "allocations").Result is { } allocated
            ? AllocationTable.Render(allocated, Notes.Load(Repository.PathOf("bench", "allocations.md")))
            : null;
        if (isQuick)
        {
            Console.WriteLine(table + allocations);
            return;
        }

        Console.WriteLine(table);
        MarkedText.Replace(Repository.PathOf("README.md"), "benchmarks", table);
        if (allocations is not null)
        {
            MarkedText.Replace(Repository.PathOf("bench", "README.md"), "allocations", allocations);
        }

        foreach (var (row, result) in measured)
        {
            foreach (var line in row.Lines.Where(line => TableLine.Of(row, line, result).IsMet == false && reasons.Find(line.Name) is null))
            {
                Progress($"{line.Name} misses its goal: write why into bench/reasons.md and run bench/run.sh --render");
            }
        }
    }

    private static void Progress(string text) => Console.Error.WriteLine($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {text}");
}
