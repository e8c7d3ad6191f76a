namespace Coppice.Samples.DurableResearch;

/// <summary>What costs time and money elsewhere. Each call is paid for: it is written into the ledger before it begins.</summary>
internal sealed class Sources(Ledger ledger)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(150);

    internal Task<string[]> PlanAsync(string question, CancellationToken cancellationToken) =>
        PayAsync("plan", () => new[] { "history", "materials", "wind" }, cancellationToken);

    internal Task<string> LookUpAsync(string topic, CancellationToken cancellationToken) => PayAsync(
        $"look up {topic}",
        () => topic switch
        {
            "history" => "History: most bridges that fell had been repaired cheaply.",
            "materials" => "Materials: steel tires under loads that come and go.",
            _ => "Wind: a deck that is too light begins to swing.",
        },
        cancellationToken);

    internal Task<string> WriteAsync(string question, string[] findings, string verdict, CancellationToken cancellationToken) =>
        PayAsync("write", () => $"{question}\n\n- {string.Join("\n- ", findings)}\n\nThe critic: {verdict}", cancellationToken);

    internal async Task<T> PayAsync<T>(string what, Func<T> result, CancellationToken cancellationToken)
    {
        ledger.Pay(what);
        await Task.Delay(Pace, TimeProvider.System, cancellationToken);
        return result();
    }
}
