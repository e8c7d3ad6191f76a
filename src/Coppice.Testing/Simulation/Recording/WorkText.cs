using System.Globalization;

namespace Coppice.Testing;

/// <summary>Work in words, short enough for one line.</summary>
internal static class WorkText
{
    internal static string Of(long claim) => claim == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"/{claim}");

    internal static string Of(string name, string key) => key.Length == 0 ? $"'{name}'" : $"'{name}' of '{key}'";

    internal static string Of(TaskStep step) => $"{Of(step.Name, step.Key)} {(step.Error is { } error ? $"({error})" : step.Result?.GetRawText())}";

    internal static string Of(NewWork work) =>
        $"{work.Kind} {work.Input.GetRawText()} "
        + (work.IdempotencyKey is null ? "" : $"with key '{work.IdempotencyKey}' ")
        + (work.DueAt is { } due ? string.Create(CultureInfo.InvariantCulture, $"due {due:HH:mm:ss.fff} ") : "");
}
