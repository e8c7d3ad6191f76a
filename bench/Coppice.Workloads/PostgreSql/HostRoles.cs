using System.Globalization;

namespace Coppice.Workloads;

/// <summary>
/// What a process does that is one of several hosts. Whoever started it writes to its input what it is to do and reads from its output what
/// came of it, a line each: a word and what belongs to it. It ends when its input does.
/// </summary>
internal static class HostRoles
{
    private static readonly Dictionary<string, Func<Parameters, Task>> All = new(StringComparer.Ordinal)
    {
        ["drain"] = HostsWorkload.DrainAsync,
        ["answer"] = AcrossHostsWorkload.AnswerAsync,
        ["park"] = LostHostWorkload.ParkAsync,
    };

    internal static async Task<int> RunAsync(string role, Parameters parameters)
    {
        if (!All.TryGetValue(role, out var run))
        {
            await Console.Error.WriteLineAsync($"There is no role '{role}'. There are: {string.Join(", ", All.Keys)}.");
            return 2;
        }

        await run(parameters);
        return 0;
    }

    /// <summary>Gets what it is to do next; <see langword="null"/> when it is to end.</summary>
    internal static async Task<string[]?> HearAsync() => (await Console.In.ReadLineAsync())?.Split(' ');

    internal static void Say(FormattableString line) => Console.Out.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
