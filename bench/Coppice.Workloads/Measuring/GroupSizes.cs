using System.Diagnostics.Metrics;

namespace Coppice.Workloads;

/// <summary>Listens to how many batches share a transaction, and keeps what it has heard when it is disposed of.</summary>
internal sealed class GroupSizes : IDisposable
{
    private readonly Lock _lock = new();
    private readonly MeterListener _listener = new();
    private double _transactions;
    private long _batches;

    internal GroupSizes()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Name: "coppice.store.commit.group_size", Meter.Name: CoppiceTelemetry.Name })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((_, size, _, _) => Record(size));
        _listener.Start();
    }

    /// <summary>Gets batches by transactions.</summary>
    internal double Mean => Transactions is > 0 and var transactions ? Batches / transactions : 1;

    internal long Batches
    {
        get
        {
            lock (_lock)
            {
                return _batches;
            }
        }
    }

    /// <summary>Gets how many transactions there were: each batch reports the size of its group.</summary>
    internal double Transactions
    {
        get
        {
            lock (_lock)
            {
                return _transactions;
            }
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Record(int size)
    {
        lock (_lock)
        {
            _batches++;
            _transactions += 1.0 / size;
        }
    }
}
