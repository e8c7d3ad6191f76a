using System.Text.Json;

namespace Coppice;

/// <summary>What an ended task leaves: nothing, an error, a result, or both. One of them is kept as it is; only both need an object more.</summary>
internal static class TaskEnd
{
    internal static object? Of(string? error, JsonElement? result) => (error, result) switch
    {
        (_, null) => error,
        (null, { } element) => element,
        _ => new Both(error, result.Value),
    };

    internal static string? ErrorOf(object? end) => end is Both both ? both.Error : end as string;

    internal static JsonElement? ResultOf(object? end) => end switch
    {
        JsonElement result => result,
        Both both => both.Result,
        _ => null,
    };

    private sealed record Both(string Error, JsonElement Result);
}
