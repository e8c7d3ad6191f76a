using Coppice.StoreContract;
using Coppice.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Coppice.Tests.Hosting;

/// <summary>Law 9: how a host judges the others, and what it does when its store will not have it.</summary>
public sealed class HostSessionTests : IDisposable
{
    private const int MissedBeats = 3;

    private static readonly HostFence Other = new("other", 77);

    private readonly ManualClock _clock = new();
    private readonly BackgroundTaskOptions _options;
    private readonly TaskMetrics _metrics;
    private readonly ITaskStore _store;
    private readonly ScriptedStore _script;
    private readonly HostSession _session;

    public HostSessionTests()
    {
        _options = new BackgroundTaskOptions { TimeProvider = _clock, HostTimeout = TimeSpan.FromSeconds(15) };
        _metrics = new TaskMetrics(null, _clock, static () => 0, static () => 0);
        (_store, _script) = ScriptedStore.Create();
        var waiters = new TaskWaiters(_options.Scheduler);
        _session = new HostSession(
            new StoreGateway(_store, _options, _metrics, NullLogger.Instance), new LiveTasks(_options.Scheduler, waiters), waiters, _options,
            NullLogger.Instance);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Gets three fifths of the timeout, after which a host that missed so many beats is given up.</summary>
    private TimeSpan LongEnough => _options.HostTimeout * MissedBeats / 5;

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task Looking_often_makes_no_host_silent_that_had_no_time_to_beat()
    {
        await JoinBesideAsync(static _ => new HostStatus(Other, Beats: 1, HasLeft: false));

        Look(50);

        Assert.Empty(_script.Settled);
    }

    [Fact]
    public async Task A_host_that_slept_itself_gives_nobody_up_by_its_first_look()
    {
        await JoinBesideAsync(static _ => new HostStatus(Other, Beats: 1, HasLeft: false));
        Look();

        _clock.Advance(TimeSpan.FromDays(1));
        Look();

        Assert.Empty(_script.Settled);
    }

    [Fact]
    public async Task A_host_that_missed_three_beats_in_their_time_is_given_up_then_and_not_before()
    {
        await JoinBesideAsync(static _ => new HostStatus(Other, Beats: 1, HasLeft: false));
        Look();
        Look(MissedBeats - 1);
        _clock.Advance(LongEnough - TimeSpan.FromMilliseconds(1));
        Look();
        Assert.Empty(_script.Settled);

        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Look();

        Assert.Equal([Other], _script.Settled);
    }

    [Fact]
    public async Task The_third_missed_beat_is_enough_once_the_time_is_over()
    {
        await JoinBesideAsync(static _ => new HostStatus(Other, Beats: 1, HasLeft: false));
        Look();
        _clock.Advance(LongEnough);
        Look(MissedBeats - 1);
        Assert.Empty(_script.Settled);

        Look();

        Assert.Equal([Other], _script.Settled);
    }

    [Fact]
    public async Task A_host_that_was_out_of_sight_is_judged_anew()
    {
        var isThere = true;
        await JoinBesideAsync(_ => isThere ? new HostStatus(Other, Beats: 1, HasLeft: false) : null);
        Look(MissedBeats);
        _clock.Advance(LongEnough);
        isThere = false;
        Look();

        isThere = true;
        Look();

        Assert.Empty(_script.Settled);
    }

    [Fact]
    public async Task A_host_that_beats_is_never_given_up()
    {
        var beats = 0L;
        await JoinBesideAsync(_ => new HostStatus(Other, beats++, HasLeft: false));
        for (var i = 0; i < 20; i++)
        {
            _clock.Advance(LongEnough);
            Look();
        }

        Assert.Empty(_script.Settled);
    }

    [Fact]
    public async Task A_store_that_lets_no_host_join_fails_the_start_for_good_saying_so()
    {
        _script.OnCommit = static mutation =>
            mutation is JoinHost ? new CommitResult(CommitStatus.Refused, 0, NotApplied.Instance) : null;

        var error = await Assert.ThrowsAsync<TaskStoreException>(() => BackgroundTaskManager.StartAsync(_store, _options, Stop).Within());

        Assert.Equal(("join_refused", false), (error.Code, error.IsTransient));
        Assert.NotEmpty(error.Message);
    }

    [Fact]
    public async Task A_store_that_cannot_be_told_of_a_leave_does_not_fail_the_dispose()
    {
        var manager = await BackgroundTaskManager.StartAsync(_store, _options, Stop).Within();
        _script.OnCommit = static mutation =>
            mutation is LeaveHost ? throw new TaskStoreException("The disk is full.", isTransient: false) : null;

        await manager.DisposeAsync().AsTask().Within();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => manager.HasRunningAsync("t1", Stop).Within());
    }

    private async Task JoinBesideAsync(Func<int, HostStatus?> other)
    {
        var look = 0;
        await _session.JoinAsync(Stop);
        _script.OnHeartbeat = hosts => other(look++) is { } status ? [.. hosts, status] : hosts;

        // What is told to be settled is not there, so the store says that nothing was left.
        _script.OnCommit = static mutation => mutation is SettleHost ? new CommitResult(CommitStatus.Landed, 1, new HostSettled([])) : null;
    }

    /// <summary>Beats, which looks at the others. The store in memory answers before the call returns.</summary>
    private void Look(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            _session.Execute();
        }
    }
}
