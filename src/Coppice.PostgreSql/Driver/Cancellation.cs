namespace Coppice.PostgreSql;

/// <summary>Cancels what waits for the database.</summary>
/// <remarks>
/// Npgsql 10 throws from its callback (<see cref="ObjectDisposedException"/>) where the connection ends at the same moment. The wait ends all the same; the exception
/// would be the canceller's, or from a timer the end of the process.
/// </remarks>
internal static class Cancellation
{
    public static async Task EndAsync(CancellationTokenSource waits) => await waits.CancelAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public static void End(CancellationTokenSource waits)
    {
        try
        {
            waits.Cancel();
        }
        catch (AggregateException)
        {
            // All callbacks were called.
        }
    }
}
