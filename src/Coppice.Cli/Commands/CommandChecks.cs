using System.CommandLine;
using System.Globalization;

namespace Coppice.Cli.Commands;

/// <summary>Checks of option values, with messages that say what is allowed.</summary>
internal static class CommandChecks
{
    /// <summary>Refuses a number outside a range.</summary>
    public static void Range(Option<int> option, int from, int to)
    {
        option.CustomParser = result =>
        {
            var text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= from && number <= to)
            {
                return number;
            }

            result.AddError($"{option.Name} takes a whole number from {from} to {to}, not '{text}'.");
            return from;
        };
    }

    /// <summary>Takes states of tasks by their names, and completes them.</summary>
    public static void States(Option<TaskState[]> option)
    {
        option.CompletionSources.Add(StateNames);
        option.CustomParser = result =>
        {
            var states = new List<TaskState>();
            foreach (var token in result.Tokens)
            {
                if (TaskStateExtensions.TryParseWireName(token.Value, out var state))
                {
                    states.Add(state);
                }
                else
                {
                    result.AddError($"{option.Name} takes one of {string.Join(", ", StateNames)}, not '{token.Value}'.");
                }
            }

            return [.. states];
        };
    }

    private static readonly string[] StateNames = [.. Enum.GetValues<TaskState>().Select(state => state.ToWireName())];
}
