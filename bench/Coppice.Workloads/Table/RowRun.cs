using System.Globalization;

namespace Coppice.Workloads;

/// <summary>Measures one row: ours and its floor in turns, the first of a pair alternating.</summary>
internal sealed class RowRun(Row row, bool isQuick, string data, Action<string> progress)
{
    private Figures? _lastOfOurs;

    internal async Task RunAsync(int runs, RowResult result)
    {
        for (var run = 0; run < runs; run++)
        {
            progress(string.Create(CultureInfo.InvariantCulture, $"{row.Name}: run {run + 1} of {runs}"));
            if (row.Floor is null || run % 2 == 0)
            {
                await OursAsync(result);
                await FloorAsync(result);
            }
            else
            {
                await FloorAsync(result);
                await OursAsync(result);
            }
        }
    }

    private async Task OursAsync(RowResult result)
    {
        _lastOfOurs = await Child.RunAsync(row.Ours, ParametersOf(row.Ours), data);
        result.Ours.Add(_lastOfOurs);
    }

    private async Task FloorAsync(RowResult result)
    {
        if (row.Floor is { } floor)
        {
            result.Floor.Add(await Child.RunAsync(floor, ParametersOf(floor), data));
        }
    }

    private string ParametersOf(Side side)
    {
        var parameters = isQuick ? side.Quick : side.Full;
        if (side.Takes is { } figure)
        {
            parameters += string.Create(CultureInfo.InvariantCulture, $" {figure}={_lastOfOurs![figure]}");
        }

        return row.File is null ? parameters : $"{parameters} path={FileOf(row, data, isQuick)}";
    }

    internal static string FileOf(Row row, string data, bool isQuick) => Path.Combine(data, $"{row.Name}{(isQuick ? "-quick" : "")}.db");
}
