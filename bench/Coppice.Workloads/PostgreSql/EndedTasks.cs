using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Coppice.Workloads;

/// <summary>Counts the tasks whose end has landed, and keeps when that was.</summary>
internal sealed class EndedTasks : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _count;
    private long _last;

    internal EndedTasks()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Name: "coppice.tasks.finished", Meter.Name: CoppiceTelemetry.Name })
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, count, _, _) =>
        {
            Volatile.Write(ref _last, Stopwatch.GetTimestamp());
            Interlocked.Add(ref _count, count);
        });
        _listener.Start();
    }

    internal long Count => Interlocked.Read(ref _count);

    /// <summary>Gets when the last one ended, as <see cref="Stopwatch"/> counts, which is the same in all processes of a machine.</summary>
    internal long Last => Volatile.Read(ref _last);

    public void Dispose() => _listener.Dispose();
}
