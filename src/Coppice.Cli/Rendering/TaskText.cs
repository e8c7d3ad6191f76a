using System.Globalization;

namespace Coppice.Cli.Rendering;

/// <summary>What is said about tasks in the same words everywhere.</summary>
internal static class TaskText
{
    public static bool IsOrphan(TaskSnapshot task) => task is { State: TaskState.Failed, Error: Orphans.Error };

    /// <summary>The state, and what is on its way.</summary>
    public static string State(TaskSnapshot task) =>
        IsOrphan(task) ? "orphaned"
        : !task.State.IsTerminal() && task.CancelRequestedAt is not null ? task.State.ToWireName() + " (cancelling)"
        : task.State.ToWireName();

    /// <summary>The id, with the name where there is one.</summary>
    public static string Title(TaskSnapshot task) =>
        task.Name is null ? SafeText.Line(task.TaskId, 60) : $"{SafeText.Line(task.TaskId, 60)} \"{SafeText.Line(task.Name, 128)}\"";

    /// <summary>How often a task was begun, and what came of it.</summary>
    public static string Attempts(TaskWork work)
    {
        var of = (work.Failures, work.Crashes) switch
        {
            (0, 0) => "",
            (_, 0) => $", of which {work.Failures} failed",
            (0, _) => $", of which {work.Crashes} ended with their process",
            _ => $", of which {work.Failures} failed and {work.Crashes} ended with their process",
        };
        return (work.Attempt == 1 ? "once" : $"{work.Attempt} times") + of;
    }

    public static string Recovery(RecoveryPolicy recovery) => recovery switch
    {
        RecoveryPolicy.Idempotent => "runs again from the start",
        RecoveryPolicy.Resumable => "runs again with its steps",
        _ => "is an orphan",
    };

    /// <summary>A moment in local time, to the millisecond.</summary>
    public static string Moment(DateTimeOffset moment, TimeProvider time) =>
        TimeZoneInfo.ConvertTime(moment, time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss.fff zzz", CultureInfo.InvariantCulture);
}
