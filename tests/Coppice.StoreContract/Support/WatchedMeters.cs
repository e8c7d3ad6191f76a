using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Coppice.StoreContract;

/// <summary>Meters of one manager, and what was counted on them.</summary>
public sealed class WatchedMeters : IMeterFactory
{
    private readonly ConcurrentBag<Meter> _meters = [];
    private readonly ConcurrentDictionary<(string Instrument, string Operation), long> _counts = new();
    private readonly MeterListener _listener = new();

    /// <summary>Starts to watch.</summary>
    public WatchedMeters()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, this))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Count(instrument, value, tags));
        _listener.Start();
    }

    /// <inheritdoc/>
    public Meter Create(MeterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var meter = new Meter(options.Name, options.Version, options.Tags, scope: this);
        _meters.Add(meter);
        return meter;
    }

    /// <summary>How much was counted for an operation.</summary>
    /// <param name="instrument">The counter.</param>
    /// <param name="operation">The value of its tag <c>operation</c>.</param>
    public long Counted(string instrument, string operation) => _counts.GetValueOrDefault((instrument, operation));

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        foreach (var meter in _meters)
        {
            meter.Dispose();
        }
    }

    private void Count(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var operation = "";
        foreach (var tag in tags)
        {
            operation = tag.Key == "operation" ? tag.Value?.ToString() ?? "" : operation;
        }

        _counts.AddOrUpdate((instrument.Name, operation), value, (_, old) => old + value);
    }
}
