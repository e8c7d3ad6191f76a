using System.Globalization;

namespace Coppice;

/// <summary>The numbers and words by which every store handles work.</summary>
public static class WorkRules
{
    /// <summary>The error of a task whose deadline came before it had ended.</summary>
    public const string DeadlineError = "task failed: its deadline passed before it had ended";

    /// <summary>How many pending tasks one <see cref="ClaimWork"/> makes ready at the most.</summary>
    public const int MaxPromoted = 1024;

    /// <summary>How many pending tasks one <see cref="ClaimWork"/> ends at the most because their deadline has come.</summary>
    public const int MaxExpired = 256;

    /// <summary>Of this many claimed tasks the last is chosen by age alone.</summary>
    public const int AgeTurn = 8;

    /// <summary>The error of a task whose attempts ended with their process too often.</summary>
    /// <param name="crashes">How often.</param>
    public static string CrashError(int crashes) => string.Create(
        CultureInfo.InvariantCulture, $"task stopped: its process ended under it {crashes} times, and it is not tried again");
}
