using System.Diagnostics.Metrics;

namespace Coppice.PostgreSql;

/// <summary>What is measured of the news between processes. A counter costs next to nothing while nobody listens to it.</summary>
internal static class NewsMetrics
{
    private static readonly Counter<long> SentPages = StoreMetrics.Meter.CreateCounter<long>(
        "coppice.postgresql.news.sent", "{notification}", "Notifications sent to other processes.");

    private static readonly Counter<long> HeardPages = StoreMetrics.Meter.CreateCounter<long>(
        "coppice.postgresql.news.heard", "{notification}", "Notifications of other processes heard.");

    private static readonly Counter<long> Gaps = StoreMetrics.Meter.CreateCounter<long>(
        "coppice.postgresql.news.missed", "{gap}", "Times at which news of other processes were missing, by reason.");

    private static readonly Counter<long> Looks = StoreMetrics.Meter.CreateCounter<long>(
        "coppice.postgresql.news.looks", "{look}", "Looks at the tables for what no news may have brought, by reason.");

    private static readonly Counter<long> Finds = StoreMetrics.Meter.CreateCounter<long>(
        "coppice.postgresql.news.found", "{item}", "What was found by looking and no news had brought.");

    private static readonly Counter<long> Reconnects = StoreMetrics.Meter.CreateCounter<long>(
        "coppice.postgresql.news.reconnects", "{connection}", "Connections that listen made anew after one was lost.");

    private static readonly Histogram<double> Delay = StoreMetrics.Meter.CreateHistogram<double>(
        "coppice.postgresql.news.delay", "s", "How long a notification of this process took through the database, until this process heard it.");

    /// <summary>Gets whether anybody measures how long notifications take.</summary>
    public static bool MeasuresDelay => Delay.Enabled;

    public static void Sent(int pages) => SentPages.Add(pages);

    public static void Heard() => HeardPages.Add(1);

    /// <summary>News are missing.</summary>
    /// <param name="reason">One of a few words: connection, gap, dropped or overflow.</param>
    public static void Missed(string reason) => Gaps.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>The tables are looked at.</summary>
    /// <param name="isMissing">Whether news are known to be missing; if not, it was only time.</param>
    public static void Looked(bool isMissing) => Looks.Add(1, new KeyValuePair<string, object?>("reason", isMissing ? "missed" : "interval"));

    public static void Found(int items)
    {
        if (items > 0)
        {
            Finds.Add(items);
        }
    }

    public static void Reconnected() => Reconnects.Add(1);

    public static void Took(TimeSpan delay) => Delay.Record(delay.TotalSeconds);
}
