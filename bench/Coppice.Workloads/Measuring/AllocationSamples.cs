using System.Diagnostics.Tracing;
using System.Globalization;

namespace Coppice.Workloads;

/// <summary>
/// Samples allocations as the runtime offers it: each allocated byte has the same chance, one in 100 KB on average, so what was allocated
/// of a type can be told from its samples.
/// </summary>
internal sealed class AllocationSamples : EventListener
{
    private const EventKeywords AllocationSampling = (EventKeywords)0x80000000000;
    private const double Chance = 1.0 / 102_400;

    private readonly Dictionary<(string Type, long Size), double> _counts = [];
    private bool _isStopped;

    /// <summary>Ends the sampling and gets about how many objects there were of each type and size.</summary>
    internal IReadOnlyDictionary<(string Type, long Size), double> Stop()
    {
        Dispose();
        lock (_counts)
        {
            _isStopped = true;
            return _counts;
        }
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
        {
            EnableEvents(eventSource, EventLevel.Informational, AllocationSampling);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName != "AllocationSampled")
        {
            return;
        }

        var type = (string)Value(eventData, "TypeName");
        var size = Convert.ToInt64(Value(eventData, "ObjectSize"), CultureInfo.InvariantCulture);
        lock (_counts)
        {
            if (!_isStopped)
            {
                _counts[(type, size)] = _counts.GetValueOrDefault((type, size)) + (1 / (1 - Math.Pow(1 - Chance, size)));
            }
        }
    }

    private static object Value(EventWrittenEventArgs eventData, string name) => eventData.Payload![eventData.PayloadNames!.IndexOf(name)]!;
}
