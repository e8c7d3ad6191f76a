using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice.Tests.Diagnostics;

public sealed class MetricsTests : IAsyncDisposable
{
    private readonly ConcurrentQueue<(string Instrument, double Value, string Tags)> _measured = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly InMemoryTaskStore _store = new();
    private Action? _onSettled;

    public MetricsTests()
    {
        // Other tests run beside this one: only the meters of this test's own factory count.
        var factory = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == CoppiceTelemetry.Name && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _store.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Tasks_are_counted_when_they_are_spawned_and_by_status_when_they_end()
    {
        await using (var manager = await StartAsync())
        {
            await manager.WaitAsync(await manager.SpawnAsync("t", _ => Task.CompletedTask, cancellationToken: Stop), Stop);
            await manager.WaitAsync(await manager.SpawnAsync("t", _ => Task.FromException(new IOException("boom")), cancellationToken: Stop), Stop);
            var parked = await manager.SpawnAsync("t", async task =>
            {
                await task.WhenCancelledAsync();
                return TaskOutcome.Cancelled;
            }, cancellationToken: Stop);
            await manager.CancelAsync(parked, Stop);
            await manager.WaitAsync(parked, Stop);
        }

        Assert.Equal(3, Sum("coppice.tasks.spawned"));
        Assert.Equal(
            ["status=cancelled", "status=completed", "status=failed"],
            _measured.Where(m => m.Instrument == "coppice.tasks.finished").Select(m => m.Tags).Order(StringComparer.Ordinal));
        Assert.Equal(3, _measured.Count(m => m.Instrument == "coppice.task.run.duration" && m.Value >= 0));
    }

    [Fact]
    public async Task Live_tasks_and_mail_that_is_not_acknowledged_are_observed()
    {
        // The mail is of a task that another manager ran: a manager goes on counting one of its own for a moment after it is told to have ended.
        await using (var before = await BackgroundTaskManager.StartAsync(_store, cancellationToken: Stop))
        {
            await before.WaitAsync(await before.SpawnAsync("t", _ => Task.CompletedTask, cancellationToken: Stop), Stop);
        }

        await using var manager = await StartAsync();
        var parked = await manager.SpawnAsync("t", task => task.WhenCancelledAsync(), cancellationToken: Stop);

        _listener.RecordObservableInstruments();
        Assert.Equal((1, 1), (Last("coppice.tasks.live"), Last("coppice.mailbox.depth")));

        await manager.CancelAsync(parked, Stop);
        await manager.WaitAsync(parked, Stop);
        await using var inbox = await manager.OpenInboxAsync("t", Stop);
        await inbox.AckAsync(2, Stop);

        _listener.RecordObservableInstruments();
        Assert.Equal(0, Last("coppice.mailbox.depth"));
    }

    [Fact]
    public async Task Commits_are_measured_by_operation()
    {
        await using var manager = await StartAsync();
        await manager.WaitAsync(await manager.SpawnAsync("t", _ => Task.CompletedTask, cancellationToken: Stop), Stop);

        var operations = _measured.Where(m => m.Instrument == "coppice.store.commit.duration").Select(m => m.Tags).ToHashSet();
        Assert.Superset(new HashSet<string> { "operation=spawn", "operation=completion" }, operations);
        Assert.All(_measured.Where(m => m.Instrument == "coppice.store.commit.group_size"), m => Assert.Equal(1, m.Value));
    }

    [Fact]
    public async Task Hosts_are_counted_while_they_live_and_when_they_are_settled()
    {
        // A host that joins and never beats.
        await _store.CommitAsync(new MutationBatch(new BatchId(0, 1), HostFence.None, DateTimeOffset.UnixEpoch, [new JoinHost("ghost")]), Stop);
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _onSettled = settled.SetResult;

        await using var manager = await BackgroundTaskManager.StartAsync(
            _store, new() { MeterFactory = _services.GetRequiredService<IMeterFactory>(), HostTimeout = TimeSpan.FromMilliseconds(250) }, Stop);
        await settled.Task.WaitAsync(TimeSpan.FromSeconds(30), Stop);

        _listener.RecordObservableInstruments();
        Assert.Equal(1, Sum("coppice.hosts.settled"));
        Assert.Equal(0, Sum("coppice.tasks.orphaned"));
        Assert.InRange(Last("coppice.hosts.alive"), 1, 2);
    }

    [Fact]
    public async Task No_metric_carries_an_id()
    {
        await using (var manager = await StartAsync())
        {
            using var call = ToolCallScope.Begin("run-secret", "call-secret", "agent-secret");
            await manager.WaitAsync(await manager.SpawnAsync("thread-secret", _ => Task.CompletedTask, new() { Name = "name-secret", Type = "type-secret" }, Stop), Stop);
            _listener.RecordObservableInstruments();
        }

        Assert.NotEmpty(_measured);
        Assert.DoesNotContain(_measured, m => m.Tags.Contains("secret", StringComparison.Ordinal) || m.Tags.Contains("bg_", StringComparison.Ordinal));
    }

    private ValueTask<BackgroundTaskManager> StartAsync() => BackgroundTaskManager.StartAsync(
        _store, new() { MeterFactory = _services.GetRequiredService<IMeterFactory>(), ShutdownGracePeriod = TimeSpan.FromSeconds(10) }, Stop);

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        _measured.Enqueue((instrument.Name, value, string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
        if (instrument.Name == "coppice.hosts.settled")
        {
            _onSettled?.Invoke();
        }
    }

    private double Sum(string instrument) => _measured.Where(m => m.Instrument == instrument).Sum(m => m.Value);

    private double Last(string instrument) => _measured.Last(m => m.Instrument == instrument).Value;
}
