using Coppice.Benchmarks;

// dotnet run -c Release --project bench/Coppice.Benchmarks [-- name …]: runs the named benchmarks, or all, and writes bench/results/<name>.md.
if (args is [ScaleProbe.Argument, var others])
{
    return await ScaleProbe.RunAsync(int.Parse(others, null));
}

var known = new Dictionary<string, Func<Task<Report>>>
{
    ["scale"] = ScaleBenchmark.RunAsync,
    ["throughput"] = ThroughputBenchmark.RunAsync,
    ["sqlite"] = SqliteBenchmark.RunAsync,
};
var names = args.Length > 0 ? args : [.. known.Keys];
if (names.FirstOrDefault(name => !known.ContainsKey(name)) is { } unknown)
{
    Console.Error.WriteLine($"There is no benchmark '{unknown}'. There are: {string.Join(", ", known.Keys)}.");
    return 2;
}

var met = true;
foreach (var name in names)
{
    var report = await known[name]();
    report.Save(name);
    Console.WriteLine(report.ToMarkdown());
    met &= report.IsGoalMet;
}

return met ? 0 : 1;
