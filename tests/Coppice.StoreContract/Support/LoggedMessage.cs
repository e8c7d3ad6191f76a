using Microsoft.Extensions.Logging;

namespace Coppice.StoreContract;

/// <summary>One message of a log.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Level">Its level.</param>
/// <param name="Text">What it says.</param>
/// <param name="Fields">What it says it of, by name.</param>
/// <param name="Exception">Why.</param>
public sealed record LoggedMessage(int Id, LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Fields, Exception? Exception);
