using System.Diagnostics.Metrics;

namespace Coppice.PostgreSql;

/// <summary>What the stores of this process measure of themselves, beside what their managers measure of them. The driver has a meter of its own, "Npgsql".</summary>
internal static class StoreMetrics
{
    internal static readonly Meter Meter = new(CoppiceTelemetry.Name);
    private static readonly Counter<long> Restarts = Meter.CreateCounter<long>(
        "coppice.postgresql.restarts", "{transaction}", "Transactions that were rolled back and begun anew, by reason.");

    /// <summary>A transaction begins anew.</summary>
    /// <param name="reason">One of a few words: locks, conflict, taken, changed, unknown or refused.</param>
    public static void Restarted(string reason) => Restarts.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
