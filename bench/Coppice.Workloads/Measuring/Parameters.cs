using System.Globalization;

namespace Coppice.Workloads;

/// <summary>What a measurement was asked for, as <c>key=value</c>.</summary>
internal sealed class Parameters
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    internal static Parameters Parse(IEnumerable<string> arguments)
    {
        var parameters = new Parameters();
        foreach (var argument in arguments)
        {
            parameters._values[argument.Split('=')[0]] = argument[(argument.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }

        return parameters;
    }

    internal int Int(string key, int otherwise) =>
        _values.TryGetValue(key, out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    internal double Number(string key, double otherwise) =>
        _values.TryGetValue(key, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    internal string? Text(string key) => _values.GetValueOrDefault(key);
}
