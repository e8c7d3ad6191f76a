using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Coppice;

/// <summary>
/// A manager's life as a host: it joins the store, shows that it lives, judges the others by its own clock, and joins anew after it was
/// given up for dead.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The timer goes with LeaveAsync.")]
internal sealed class HostSession(StoreGateway store, LiveTasks live, TaskWaiters waiters, BackgroundTaskOptions options, ILogger logger) : IThreadPoolWorkItem
{
    // A host beats five times in HostTimeout. One that misses three beats has been silent for at most four fifths of it.
    private const int BeatsPerTimeout = 5;
    private const int MissedBeats = 3;

    private readonly string _hostId = options.HostName ?? $"{Environment.MachineName}/{Environment.ProcessId}";
    private readonly AsyncLock _joining = new(options.Scheduler);
    private readonly Dictionary<HostFence, Observation> _others = [];
    private volatile StrongBox<HostFence> _fence = new(HostFence.None);
    private ITimer? _timer;
    private int _asked;
    private volatile bool _hasLeft;
    private long _givenUpThrough = long.MinValue;

    internal HostFence Fence => _fence.Value;

    /// <summary>Gets or sets what is looked after with each heartbeat, after the other hosts.</summary>
    internal Func<ValueTask>? OnBeat { get; set; }

    /// <summary>Gets what counts the hosts.</summary>
    internal TaskMetrics? Metrics { get; init; }

    /// <summary>Whether a fence of this host was closed. What lands under it later, because its answer was lost, is signalled by whoever takes it in.</summary>
    internal bool IsGivenUp(HostFence fence) => fence.Epoch <= Interlocked.Read(ref _givenUpThrough);

    /// <summary>
    /// Whether a task ends by its body here and by nothing else: the body runs, and its host was not given up. Who registers to wait before asking need
    /// not read the task: it is woken by the task's end, and also when this becomes false.
    /// </summary>
    internal bool Runs(string taskId) => live.TryGet(taskId, out var task) && !IsGivenUp(task.Fence);

    /// <summary>Joins the store, which settles what hosts left that are surely gone.</summary>
    internal async ValueTask JoinAsync(CancellationToken cancellationToken)
    {
        var result = await store.CommitAsync("join", new JoinHost(_hostId), HostFence.None, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        if (result.Answer is not HostJoined joined)
        {
            throw new TaskStoreException("The store did not let this host join.", isTransient: false, code: "join_refused");
        }

        _fence = new StrongBox<HostFence>(joined.Fence);
        Metrics?.Orphaned(joined.Orphans.Count);
        Log.HostJoined(logger, _hostId, joined.Fence.Epoch, joined.Orphans.Count);
    }

    internal void StartBeating()
    {
        var interval = options.HostTimeout / BeatsPerTimeout;
        _timer = options.TimeProvider.CreateTimer(static session => _ = ((HostSession)session!).BeatAsync(), this, interval, interval);
    }

    /// <summary>Stores a change on behalf of this host, joining anew where it was given up in the meantime.</summary>
    internal async ValueTask<CommitResult> CommitAsync(
        string operation, Mutation mutation, ICommitObserver? observer, CancellationToken cancellationToken)
    {
        while (true)
        {
            var fence = Fence;
            var result = await store.CommitAsync(operation, mutation, fence, observer, cancellationToken).ConfigureAwait(false);
            if (result.Status != CommitStatus.Fenced)
            {
                return result;
            }

            await RejoinAsync(fence, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Stores a change on behalf of this host, and gives what the store answers.</summary>
    internal async ValueTask<T> CommitAsync<T>(string operation, Mutation mutation, CancellationToken cancellationToken)
        where T : MutationAnswer
    {
        var result = await CommitAsync(operation, mutation, null, cancellationToken).ConfigureAwait(false);
        return (T)result.Answer!;
    }

    /// <summary>
    /// Learns that a host has left or was given up. When it is this one, its bodies are cancelled; when it is another, what it left
    /// running is looked for at once.
    /// </summary>
    internal void OnFenced(HostFence fence)
    {
        if (_hasLeft || Fence == HostFence.None)
        {
            return;
        }

        if (fence == Fence)
        {
            SignalAll(fence);
        }
        else
        {
            options.Scheduler.Queue(this);
        }
    }

    /// <summary>Looks after the others out of turn.</summary>
    public void Execute() => _ = BeatAsync();

    /// <summary>Takes note of the others' beats. Returns those that have left or have been silent for too long.</summary>
    private List<HostFence> Observe(IReadOnlyList<HostStatus> hosts)
    {
        var silent = new List<HostFence>();
        var longEnough = options.HostTimeout * MissedBeats / BeatsPerTimeout;
        foreach (var host in hosts.Where(host => host.Fence != Fence))
        {
            var seen = _others.TryGetValue(host.Fence, out var before) && before.Beats == host.Beats
                ? before with { Missed = before.Missed + 1 }
                : new Observation(host.Beats, Missed: 0, options.TimeProvider.GetTimestamp());
            _others[host.Fence] = seen;
            if (host.HasLeft || (seen.Missed >= MissedBeats && options.TimeProvider.GetElapsedTime(seen.Since) >= longEnough))
            {
                silent.Add(host.Fence);
            }
        }

        foreach (var gone in _others.Keys.Except(hosts.Select(host => host.Fence)).ToList())
        {
            _others.Remove(gone);
        }

        return silent;
    }

    /// <summary>Stops beating and leaves the store, so that the next host need not wait for its silence.</summary>
    internal async ValueTask LeaveAsync()
    {
        _hasLeft = true;
        await StopBeatingAsync().ConfigureAwait(false);
        try
        {
            await store.CommitAsync("leave", new LeaveHost(), Fence).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TaskStoreException or ObjectDisposedException)
        {
            Log.LeaveFailed(logger, e);
        }
    }

    private async ValueTask StopBeatingAsync()
    {
        if (Interlocked.Exchange(ref _timer, null) is { } timer)
        {
            await timer.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>One at a time. What is asked for while one is under way comes right after it: it may have read the hosts before what it was asked for.</summary>
    private async Task BeatAsync()
    {
        if (Interlocked.Increment(ref _asked) > 1)
        {
            return;
        }

        do
        {
            Volatile.Write(ref _asked, 1);
            await BeatOnceAsync().ConfigureAwait(false);
        }
        while (Interlocked.CompareExchange(ref _asked, 0, 1) != 1);
    }

    private async Task BeatOnceAsync()
    {
        try
        {
            var fence = Fence;
            var hosts = await store.Store.HeartbeatAsync(fence, CancellationToken.None).ConfigureAwait(false);
            if (!hosts.Any(host => host.Fence == fence && !host.HasLeft))
            {
                await RejoinAsync(fence, CancellationToken.None).ConfigureAwait(false);
                return;
            }

            if (Metrics is { } metrics)
            {
                metrics.HostsAlive = hosts.Count(static host => !host.HasLeft);
            }

            foreach (var host in Observe(hosts))
            {
                await SettleAsync(host, fence).ConfigureAwait(false);
            }

            if (OnBeat is { } onBeat && !_hasLeft)
            {
                await onBeat().ConfigureAwait(false);
            }
        }
        catch (ObjectDisposedException)
        {
            // The manager or its store went in between.
        }
        catch (Exception e)
        {
            Log.HeartbeatFailed(logger, e);
        }
    }

    private async ValueTask SettleAsync(HostFence host, HostFence fence)
    {
        var result = await store.CommitAsync("settle", new SettleHost(host), fence).ConfigureAwait(false);
        if (result is { Status: CommitStatus.Landed, Answer: HostSettled settled })
        {
            _others.Remove(host);
            Metrics?.HostSettled(settled.Orphans.Count);
            Log.HostSettled(logger, host.HostId, host.Epoch, settled.Orphans.Count);
        }
    }

    private async ValueTask RejoinAsync(HostFence given, CancellationToken cancellationToken)
    {
        await _joining.EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_hasLeft, typeof(BackgroundTaskManager));
            if (Fence == given)
            {
                SignalAll(given);
                await JoinAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _joining.Exit();
        }
    }

    private void SignalAll(HostFence fence)
    {
        // Before looking, so that a task that comes in meanwhile is either among those here or sees it. Epochs of a host only grow.
        Interlocked.Exchange(ref _givenUpThrough, fence.Epoch);
        var tasks = live.All.Where(task => task.Fence == fence).ToList();
        Log.HostFenced(logger, fence.Epoch, tasks.Count);
        foreach (var task in tasks)
        {
            task.Signal(StopReason.Fenced);
            task.Attempt?.Stop(StopReason.Fenced);

            // Somebody else ends it, has done so perhaps, and may not be heard.
            waiters.Wake(task.TaskId);
        }
    }

    private readonly record struct Observation(long Beats, int Missed, long Since);
}
