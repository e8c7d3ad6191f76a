using System.Collections.Concurrent;
using System.Diagnostics;

namespace Coppice.Tests.Diagnostics;

public sealed class ActivityTests : IAsyncDisposable
{
    private readonly string _thread = "thread-" + Guid.NewGuid().ToString("N");
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;
    private readonly InMemoryTaskStore _store = new();

    public ActivityTests()
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name is CoppiceTelemetry.Name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                // Other tests run beside this one.
                if (Equals(activity.GetTagItem("coppice.thread.id"), _thread))
                {
                    _ended.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task A_body_is_one_span_linked_to_what_its_spawner_did_and_not_below_it()
    {
        using var request = new Activity("request").Start();
        string id;
        await using (var manager = await BackgroundTaskManager.StartAsync(_store, cancellationToken: Stop))
        {
            using var call = ToolCallScope.Begin("run-1", "call-9", "planner");
            id = await manager.SpawnAsync(_thread, _ => Task.CompletedTask, new() { Type = "crawl" }, Stop);
            await manager.WaitAsync(id, Stop);
        }

        var span = Assert.Single(_ended);
        Assert.Equal("coppice.task", span.OperationName);
        Assert.Equal(default, span.ParentSpanId);
        Assert.NotEqual(request.TraceId, span.TraceId);
        Assert.Equal(request.Context.SpanId, Assert.Single(span.Links).Context.SpanId);
        Assert.Equal(
            (id, "crawl", "run-1", "planner", "completed"),
            (Tag(span, "coppice.task.id"), Tag(span, "coppice.task.type"), Tag(span, "coppice.run.id"), Tag(span, "coppice.agent.id"), Tag(span, "coppice.task.status")));
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
    }

    [Fact]
    public async Task A_failed_body_is_a_span_with_an_error()
    {
        await using (var manager = await BackgroundTaskManager.StartAsync(_store, cancellationToken: Stop))
        {
            await manager.WaitAsync(await manager.SpawnAsync(_thread, _ => throw new IOException("boom"), cancellationToken: Stop), Stop);
        }

        var span = Assert.Single(_ended);
        Assert.Equal((ActivityStatusCode.Error, "boom", "failed"), (span.Status, span.StatusDescription, Tag(span, "coppice.task.status")));
    }

    [Fact]
    public async Task What_a_body_does_stands_below_its_span()
    {
        Activity? inside = null;
        await using (var manager = await BackgroundTaskManager.StartAsync(_store, cancellationToken: Stop))
        {
            var id = await manager.SpawnAsync(_thread, _ =>
            {
                inside = Activity.Current;
                return Task.CompletedTask;
            }, cancellationToken: Stop);
            await manager.WaitAsync(id, Stop);
        }

        Assert.Same(Assert.Single(_ended), inside);
    }

    private static string? Tag(Activity activity, string name) => activity.GetTagItem(name)?.ToString();
}
