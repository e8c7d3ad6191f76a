using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.News;

/// <summary>What becomes of news when connections break, pages are lost, or somebody else sends them.</summary>
public sealed class BrokenNewsTests : NewsTest
{
    [Fact]
    public async Task After_the_connection_that_listens_was_ended_news_come_again()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var id = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        Assert.True(await TerminateAsync("LISTEN %") >= 2);

        // Whether it comes before there is a listener again, and is found by looking, or after.
        Assert.True(await here.CancelAsync(id, Stop).Within());

        Assert.Equal(TaskState.Cancelled, (await there.WaitAsync(id, Stop).Within()).State);
        await UntilAsync(Listening(2));
        var second = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        Assert.True(await here.CancelAsync(second, Stop).Within());
        Assert.Equal(TaskState.Cancelled, (await there.WaitAsync(second, Stop).Within()).State);
    }

    [Fact]
    public async Task A_connection_that_listens_and_is_lost_is_logged_once_and_once_again_when_it_is_back()
    {
        using var meters = new NewsCounts();
        await StartAsync();
        Assert.Equal(1, await TerminateAsync("LISTEN %"));

        await StoreLog.UntilAsync(4102).Within();

        Assert.Single(StoreLog.Of(4101));
        Assert.Single(StoreLog.Of(4102));
        Assert.True(meters.Of("coppice.postgresql.news.reconnects") >= 1);
        Assert.True(meters.Of("coppice.postgresql.news.missed", "connection") >= 1);
    }

    [Fact]
    public async Task News_are_counted_where_they_are_sent_and_heard_and_their_way_through_the_database_is_measured()
    {
        using var meters = new NewsCounts();
        var (here, there) = (await StartAsync(), await StartAsync());
        var id = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();

        Assert.True(await here.CancelAsync(id, Stop).Within());
        await there.WaitAsync(id, Stop).Within();

        await meters.UntilAsync("coppice.postgresql.news.delay").Within();
        Assert.True(meters.Of("coppice.postgresql.news.sent") >= 1);
        Assert.True(meters.Of("coppice.postgresql.news.heard") >= 1);
        Assert.Empty(StoreLog.Messages);
    }

    [Fact]
    public async Task After_the_connection_that_sends_was_ended_what_waits_is_sent()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        for (var i = 0; i < 3; i++)
        {
            var id = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
            Assert.True(await here.CancelAsync(id, Stop).Within());
            Assert.Equal(TaskState.Cancelled, (await there.WaitAsync(id, Stop).Within()).State);
            await TerminateAsync("SELECT pg_notify(%");
        }
    }

    [Fact]
    public async Task A_watch_ends_when_the_connection_that_listens_breaks_and_the_next_goes_on()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var watching = UntilEndedAsync(here);

        await TerminateAsync("LISTEN %");

        await Assert.ThrowsAsync<WatchOverrunException>(() => watching.Within());
        var next = UntilEndedAsync(here);
        var id = await there.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();
        Assert.Equal(id, await next.Within());
    }

    [Fact]
    public async Task Waits_that_are_there_when_the_connection_breaks_find_what_they_wait_for()
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var end = new Signal();
        var id = await there.SpawnAsync("t1", Bodies.Until(end), cancellationToken: Stop).Within();
        var waiting = here.WaitAsync(id, Stop);

        await TerminateAsync("LISTEN %");
        end.Set();

        Assert.Equal(TaskState.Completed, (await waiting.Within()).State);
    }

    [Fact]
    public async Task When_a_page_is_missing_what_it_said_is_looked_for_and_watches_end()
    {
        var store = await OpenAsync();
        var (here, there) = (await StartAsync(store), await StartAsync());
        var first = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        var second = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();

        // The other process has to know the sender, or it could not tell that something is missing.
        Assert.True(await here.CancelAsync(first, Stop).Within());
        await there.WaitAsync(first, Stop).Within();
        store.News.Sender.Loses = true;
        Assert.True(await here.CancelAsync(second, Stop).Within());
        await store.News.Sender.IdleAsync().Within();
        var watching = UntilEndedAsync(there);
        store.News.Sender.Loses = false;
        await here.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within();

        Assert.Equal(TaskState.Cancelled, (await there.WaitAsync(second, Stop).Within()).State);
        await Assert.ThrowsAsync<WatchOverrunException>(() => watching.Within());
        Assert.NotEmpty(StoreLog.Of(4103));
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("n1 7 1 ")]
    [InlineData("n1 7 1 E0,0,9999:x0:")]
    [InlineData("n1 7 1 D0,0,0:0:")]
    [InlineData("n1 7 5 X9,123456,1:40:")]
    [InlineData("n1 7 5 X9,0,2:315:[1,2]")]
    [InlineData("n1 7 9 W0,0,7:no kind0:J9,0,0:0:F77,0,6:nobody0:")]
    public async Task What_somebody_else_sends_harms_nobody(string page)
    {
        var (here, there) = (await StartAsync(), await StartAsync());
        var id = await there.SpawnAsync("t1", Bodies.Park, cancellationToken: Stop).Within();
        await using var send = Schema.DataSource.CreateCommand("SELECT pg_notify($1, $2)");
        send.Parameters.Add(new() { Value = await ChannelAsync() });
        send.Parameters.Add(new() { Value = page });
        await send.ExecuteNonQueryAsync(Stop);

        Assert.True(await here.CancelAsync(id, Stop).Within());

        Assert.Equal(TaskState.Cancelled, (await there.WaitAsync(id, Stop).Within()).State);
    }

    [Fact]
    public async Task A_process_alone_sends_nothing()
    {
        var store = await OpenAsync();
        var manager = await StartAsync(store);
        for (var i = 0; i < 10; i++)
        {
            await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        }

        await StartAsync(store);
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();

        Assert.Equal(0, store.News.Sender.Pages);
        await StartAsync();
        await manager.WaitAsync(await manager.SpawnAsync("t1", Bodies.Done, cancellationToken: Stop).Within(), Stop).Within();
        await store.News.Sender.IdleAsync().Within();
        Assert.True(store.News.Sender.Pages > 0);
    }

    [Fact]
    public async Task The_channel_is_of_the_schema_and_its_name_is_kept_from_those_who_may_not_read_it()
    {
        var other = await Support.SchemaPool.TakeAsync();
        try
        {
            await using var store = await PostgreSqlTaskStore.OpenAsync(await Support.PostgresServer.ConnectionStringAsync(), new() { Schema = other.Name }, Stop);
            await OpenAsync();
            var names = (string?)await Schema.QueryAsync(
                $"SELECT a.news_channel || ' ' || b.news_channel FROM {Schema.Name}.meta a, {other.Name}.meta b");

            var parts = names!.Split(' ');
            Assert.NotEqual(parts[0], parts[1]);
            Assert.DoesNotContain(Schema.Name, await ChannelAsync(), StringComparison.Ordinal);
        }
        finally
        {
            await Support.SchemaPool.GiveBackAsync(other);
        }
    }

    private string Listening(int count) =>
        $"SELECT count(*) >= {count} FROM pg_stat_activity WHERE application_name = '{Schema.Name}' AND query LIKE 'LISTEN %'";

    private static async Task<string?> UntilEndedAsync(BackgroundTaskManager manager)
    {
        await foreach (var change in manager.WatchAsync(null, Stop))
        {
            if (change.Kind == TaskChangeKind.Ended)
            {
                return change.Task.TaskId;
            }
        }

        return null;
    }
}
