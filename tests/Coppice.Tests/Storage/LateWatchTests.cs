using Coppice.StoreContract;

namespace Coppice.Tests.Storage;

/// <summary>Whoever begins to watch while a commit to the store in memory is under way, and still reads what was before, hears of it.</summary>
public sealed class LateWatchTests : IAsyncDisposable
{
    private readonly InMemoryTaskStore _store = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_watch_that_begins_before_an_end_can_be_seen_hears_of_it()
    {
        var host = await StoreHost.JoinAsync(_store);
        var id = await host.AddAsync();
        var listener = new RecordingListener { WantsChanges = false };
        using var subscription = _store.Subscribe(WatchAtFirstMail(listener));
        using var other = _store.Subscribe(listener);

        // Its last event is mailed before it ends.
        var result = await host.CommitAsync(StoreHost.Finish(id) with { Events = [Mailbag.Progress(id, 0)] });

        var change = Assert.Single(listener.Changes());
        Assert.Equal((TaskChangeKind.Ended, TaskState.Completed, result.Revision), (change.Kind, change.Task.State, change.Revision));
    }

    [Fact]
    public async Task Revisions_do_not_go_back_where_a_later_commit_was_told_first()
    {
        var host = await StoreHost.JoinAsync(_store);
        var first = await host.AddAsync("t1");
        var second = await host.AddAsync("t2");
        var listener = new RecordingListener { WantsChanges = false };
        using var reached = new ManualResetEventSlim();
        using var released = new ManualResetEventSlim();
        using var subscription = _store.Subscribe(new RecordingListener
        {
            WantsChanges = false,
            OnHeard = heard =>
            {
                if (heard is { What: "Mail", Subject: "t1" } && !reached.IsSet)
                {
                    reached.Set();
                    Assert.True(released.Wait(Wait.Guard, Stop), "Nobody let the first commit go on.");
                }
            },
        });
        using var other = _store.Subscribe(listener);
        var early = Task.Run(() => host.CommitAsync(StoreHost.Finish(first) with { Events = [Mailbag.Progress(first, 0)] }), Stop);
        Assert.True(reached.Wait(Wait.Guard, Stop), "The first commit did not begin.");
        listener.WantsChanges = true;
        await host.FinishAsync(second);
        released.Set();
        await early.Within();

        var changes = listener.Changes();
        Assert.Equal([second, first], changes.Select(static change => change.Task.TaskId));
        Assert.True(changes[0].Revision <= changes[1].Revision, $"Revision {changes[1].Revision} came after {changes[0].Revision}.");
    }

    private static RecordingListener WatchAtFirstMail(RecordingListener listener) => new()
    {
        WantsChanges = false,
        OnHeard = heard => listener.WantsChanges |= heard.What == "Mail",
    };
}
