using System.Globalization;

namespace Coppice.Testing;

/// <summary>
/// Bounds a shutdown in real time. A manager counts its grace period on its own clock, and a manual one stands still: when bodies have had
/// as long in real time, the clock is advanced, so that the manager gives them up.
/// </summary>
internal static class BoundedShutdown
{
    private static readonly TimeSpan Nudge = TimeSpan.FromMilliseconds(50);

    internal static async Task RunAsync(Task closing, TimeProvider clock, TimeSpan grace)
    {
        if (clock is not ManualClock manual || await EndsAsync(closing, grace).ConfigureAwait(false))
        {
            await closing.ConfigureAwait(false);
            return;
        }

        // The shutdown sets its timers one after another.
        do
        {
            manual.Advance(grace);
        }
        while (!await EndsAsync(closing, Nudge).ConfigureAwait(false));
        await closing.ConfigureAwait(false);
    }

    private static async Task<bool> EndsAsync(Task closing, TimeSpan within)
    {
        await closing.WaitAsync(within).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return closing.IsCompleted;
    }

    /// <summary>The failure of a test whose bodies outlived its manager, or <see langword="null"/> when none did.</summary>
    internal static async Task<TaskAssertionException?> FindStuckAsync(BackgroundTaskManager manager, TimeSpan grace)
    {
        if (manager.StartedCore is not { LiveCount: > 0 and var count } core)
        {
            return null;
        }

        var tasks = await core.Store.ListAsync(new TaskQuery(), null, int.MaxValue, CancellationToken.None).ConfigureAwait(false);
        var live = tasks.Where(static task => !task.State.IsTerminal()).ToList();
        return new TaskAssertionException(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} {(count == 1 ? "body" : "bodies")} did not end within {grace.TotalSeconds:0.###} s of the manager's disposal, which cancelled their tokens. Still live:\n{TaskLines.Of(live)}"));
    }
}
