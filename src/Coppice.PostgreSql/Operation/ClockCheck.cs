namespace Coppice.PostgreSql;

/// <summary>How far this machine's clock is from the server's. Every host judges by its own clock what is due and what is too late.</summary>
internal static class ClockCheck
{
    private const int Looks = 8;

    private static readonly TimeSpan Much = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TooMuch = TimeSpan.FromMinutes(1);

    public static async Task RunAsync(Examination server, CancellationToken cancellationToken)
    {
        var (difference, error) = (TimeSpan.Zero, TimeSpan.MaxValue);
        for (var look = 0; look < Looks; look++)
        {
            // The answer was written somewhere between the question and its arrival, so the quickest look is the best.
            var asked = TimeProvider.System.GetTimestamp();
            var before = TimeProvider.System.GetUtcNow();
            var row = await server.RowAsync("SELECT clock_timestamp()", cancellationToken).ConfigureAwait(false);
            var half = TimeProvider.System.GetElapsedTime(asked) / 2;
            if (half < error)
            {
                (difference, error) = (new DateTimeOffset((DateTime)row[0]!, TimeSpan.Zero) - before - half, half);
            }
        }

        var least = difference.Duration() - error;
        var side = difference < TimeSpan.Zero ? "behind" : "ahead";
        FormattableString found =
            $"the server's clock is {Math.Abs(difference.TotalMilliseconds):0.0} ms {side} (± {error.TotalMilliseconds:0.0} ms)";
        FormattableString advice =
            $"Delays, deadlines and retries are judged by each host's own clock. Let this machine and the server keep time (NTP).";
        if (least > TooMuch)
        {
            server.Fail("clock", found, advice);
        }
        else if (least > Much)
        {
            server.Warn("clock", found, advice);
        }
        else
        {
            server.Ok("clock", found);
        }
    }
}
