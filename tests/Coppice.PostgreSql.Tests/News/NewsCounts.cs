using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.News;

/// <summary>What the stores of this process count of their news from now on, those of tests that run beside among them.</summary>
internal sealed class NewsCounts : IDisposable
{
    private readonly ConcurrentDictionary<(string Instrument, string Reason), long> _counts = new();
    private readonly ConcurrentDictionary<string, Signal> _signals = new();
    private readonly MeterListener _listener = new();

    public NewsCounts()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name.StartsWith("coppice.postgresql.news.", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Count(instrument, 1, tags));
        _listener.Start();
    }

    public long Of(string instrument, string reason = "") => _counts.GetValueOrDefault((instrument, reason));

    public Task UntilAsync(string instrument) => SignalOf(instrument).Task;

    public void Dispose() => _listener.Dispose();

    private void Count(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var reason = "";
        foreach (var tag in tags)
        {
            reason = tag.Key == "reason" ? tag.Value?.ToString() ?? "" : reason;
        }

        _counts.AddOrUpdate((instrument.Name, reason), value, (_, before) => before + value);
        SignalOf(instrument.Name).Set();
    }

    private Signal SignalOf(string instrument) => _signals.GetOrAdd(instrument, static _ => new Signal());
}
