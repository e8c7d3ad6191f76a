using System.Diagnostics.Metrics;

namespace Coppice;

/// <summary>What one manager measures. Tags take few values: never an id of a task, a thread or an agent.</summary>
internal sealed class TaskMetrics : IDisposable
{
    private readonly TimeProvider _time;
    private readonly Meter? _ownMeter;
    private readonly Counter<long> _spawned;
    private readonly Counter<long> _finished;
    private readonly Histogram<double> _runDuration;
    private readonly Histogram<double> _commitDuration;
    private readonly Histogram<int> _groupSize;
    private readonly Counter<long> _commitFailures;
    private readonly Counter<long> _claimed;
    private readonly Counter<long> _handedBack;
    private readonly Counter<long> _hostsSettled;
    private readonly Counter<long> _orphaned;
    private readonly Counter<long> _messagesPosted;
    private readonly Counter<long> _messagesAttempted;
    private readonly Counter<long> _messagesFailed;

    internal TaskMetrics(IMeterFactory? factory, TimeProvider time, Func<long> countLive, Func<long> countMail)
    {
        _time = time;
        var meter = factory?.Create(CoppiceTelemetry.Name) ?? (_ownMeter = new Meter(CoppiceTelemetry.Name));
        _spawned = meter.CreateCounter<long>("coppice.tasks.spawned", "{task}", "Tasks spawned.");
        _finished = meter.CreateCounter<long>("coppice.tasks.finished", "{task}", "Tasks ended, by status.");
        _runDuration = meter.CreateHistogram<double>("coppice.task.run.duration", "s", "How long a body ran.");
        _commitDuration = meter.CreateHistogram<double>("coppice.store.commit.duration", "s", "How long a commit took, by operation.");
        _groupSize = meter.CreateHistogram<int>("coppice.store.commit.group_size", "{batch}", "Batches that shared a transaction.");
        _commitFailures = meter.CreateCounter<long>("coppice.store.commit.failures", "{commit}", "Commits that failed, by operation.");
        _claimed = meter.CreateCounter<long>("coppice.attempts.claimed", "{attempt}", "Tasks of registered kinds claimed by this host.");
        _handedBack = meter.CreateCounter<long>("coppice.attempts.handed_back", "{attempt}", "Attempts after which the task waits for another, by reason.");
        _hostsSettled = meter.CreateCounter<long>("coppice.hosts.settled", "{host}", "Hosts found gone or silent, and settled by this one.");
        _orphaned = meter.CreateCounter<long>("coppice.tasks.orphaned", "{task}", "Tasks that this host ended because theirs was gone.");
        _messagesPosted = meter.CreateCounter<long>("coppice.messages.posted", "{message}", "Messages between threads accepted, by box.");
        _messagesAttempted = meter.CreateCounter<long>("coppice.messages.attempted", "{attempt}", "Attempts to send a message, by outcome.");
        _messagesFailed = meter.CreateCounter<long>("coppice.messages.failed", "{message}", "Messages between threads that failed, by reason.");
        meter.CreateObservableUpDownCounter("coppice.tasks.live", countLive, "{task}", "Tasks whose body runs here.");
        meter.CreateObservableGauge("coppice.hosts.alive", () => HostsAlive, "{host}", "Hosts of the store that this one sees alive, itself among them.");
        meter.CreateObservableUpDownCounter("coppice.mailbox.depth", countMail, "{event}", "Mail in the store that is not acknowledged.");
    }

    /// <summary>Gets or sets how many hosts the last heartbeat found alive.</summary>
    internal int HostsAlive { get; set; } = 1;

    internal void Spawned() => _spawned.Add(1);

    internal void Finished(TaskState status, long startedAt)
    {
        if (_finished.Enabled)
        {
            _finished.Add(1, new KeyValuePair<string, object?>("status", status.ToWireName()));
        }

        if (startedAt != 0 && _runDuration.Enabled)
        {
            _runDuration.Record(
                _time.GetElapsedTime(startedAt).TotalSeconds, new KeyValuePair<string, object?>("status", status.ToWireName()));
        }
    }

    internal long Now() => _runDuration.Enabled || _commitDuration.Enabled ? _time.GetTimestamp() : 0;

    internal void Committed(string operation, long startedAt, int groupSize)
    {
        if (startedAt != 0 && _commitDuration.Enabled)
        {
            _commitDuration.Record(
                _time.GetElapsedTime(startedAt).TotalSeconds, new KeyValuePair<string, object?>("operation", operation));
        }

        _groupSize.Record(groupSize);
    }

    internal void CommitFailed(string operation) =>
        _commitFailures.Add(1, new KeyValuePair<string, object?>("operation", operation));

    internal void Claimed(int count)
    {
        if (count > 0)
        {
            _claimed.Add(count);
        }
    }

    internal void HandedBack(string reason) => _handedBack.Add(1, new KeyValuePair<string, object?>("reason", reason));

    internal void HostSettled(int orphans)
    {
        _hostsSettled.Add(1);
        Orphaned(orphans);
    }

    internal void Orphaned(int count)
    {
        if (count > 0)
        {
            _orphaned.Add(count);
        }
    }

    internal void MessagePosted(string box) => _messagesPosted.Add(1, new KeyValuePair<string, object?>("box", box));

    internal void MessageAttempted(AttemptEnd end) => _messagesAttempted.Add(1, new KeyValuePair<string, object?>("outcome", end switch
    {
        AttemptEnd.Sent => "sent",
        AttemptEnd.Retry => "retry",
        AttemptEnd.Failed => "failed",
        _ => "returned",
    }));

    internal void MessagesFailed(string reason, int count)
    {
        if (count > 0)
        {
            _messagesFailed.Add(count, new KeyValuePair<string, object?>("reason", reason));
        }
    }

    public void Dispose() => _ownMeter?.Dispose();
}
