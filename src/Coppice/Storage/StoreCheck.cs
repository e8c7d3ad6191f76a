namespace Coppice;

/// <summary>What one look at a store found, as <c>coppice doctor</c> shows it.</summary>
/// <param name="Name">What was looked at, in one or two lower-case words. It does not change, so that scripts can go by it.</param>
/// <param name="Result">What came of it.</param>
/// <param name="Found">What was found, for people. No password is in it; names in it are as they are stored, and not fit for a terminal as they are.</param>
/// <param name="Advice">What to do about it, for people; <see langword="null"/> where there is nothing to do.</param>
public sealed record StoreCheck(string Name, StoreCheckResult Result, string Found, string? Advice = null);
