namespace Coppice.StoreContract;

/// <summary>Law 8: one inbox, from its first page to its end.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law08InboxContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_mailbox_of_many_pages_is_drained_whole_and_in_order()
    {
        const int events = 5_000;
        var manager = await StartAsync();
        var id = await manager.SpawnAsync("t1", static context =>
        {
            for (var i = 0; i < events; i++)
            {
                Assert.True(context.Emit("progress", i));
            }

            return Task.CompletedTask;
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(id, Stop).Within();

        await using var inbox = await manager.OpenInboxAsync("t1", Stop);
        var items = await inbox.DrainAsync(Stop).Within();

        Assert.Equal(Enumerable.Range(1, events + 1).Select(static number => (long)number), items.Select(static item => item.Sequence));
        Assert.Equal(Enumerable.Range(0, events), items.SkipLast(1).Select(static item => Mailbag.Number(item.Event)));
        Assert.Equal(new TaskCompleted(id, null), items[^1].Event);
        Assert.Empty(await inbox.DrainAsync(Stop).Within());
    }

    [Fact]
    public async Task An_acknowledgement_that_makes_no_sense_or_comes_too_late_is_refused_and_changes_nothing()
    {
        var manager = await StartAsync();
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        var inbox = await manager.OpenInboxAsync("t1", Stop);

        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => inbox.AckAsync(-1, Stop).Within());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => inbox.AckAsync(1, new CancellationToken(canceled: true)).Within());
        await inbox.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.AckAsync(1, Stop).Within());

        await using var again = await manager.OpenInboxAsync("t1", Stop);
        Assert.Single(await again.EventsAsync());
    }

    [Fact]
    public async Task The_inbox_of_an_agent_that_has_ended_reads_no_more()
    {
        var manager = await StartAsync();
        Inbox? inbox = null;
        var id = await manager.SpawnAgentAsync("t1", context =>
        {
            inbox = context.Inbox;
            return Bodies.Done(context);
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(id, Stop).Within();

        Func<Task>[] uses = [() => inbox!.ReadAsync(Stop).Within(), () => inbox!.DrainAsync(Stop).Within(), () => inbox!.AckAsync(0, Stop).Within()];
        foreach (var use in uses)
        {
            // Between the end in the store and the word of it, the store alone says that the inbox is no more this reader's.
            var error = await Assert.ThrowsAnyAsync<Exception>(use);
            Assert.True(error is ObjectDisposedException or InboxTakenOverException, error.ToString());
        }
    }

    [Fact]
    public async Task An_inbox_that_cannot_be_closed_because_the_store_fails_is_closed_once_it_works_again()
    {
        var store = new FaultyStore(Store);
        var unread = new Signal();
        var manager = await StartAsync(
            options => options.OnUnreadMail = (_, _) =>
            {
                unread.Set();
                return ValueTask.CompletedTask;
            },
            store);
        var inbox = await manager.OpenInboxAsync("t1", Stop);
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        Assert.False(unread.IsSet, "Somebody reads.");

        store.Fail<CloseMailbox>(FaultMoment.KnownBeforeCommit, times: 2);
        await inbox.DisposeAsync().AsTask().Within();

        await unread.WaitAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => inbox.ReadAsync(Stop).Within());
    }
}
