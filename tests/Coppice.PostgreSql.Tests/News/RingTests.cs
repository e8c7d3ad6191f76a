using Coppice.PostgreSql.Tests.Support;
using Coppice.StoreContract;

namespace Coppice.PostgreSql.Tests.News;

/// <summary>How processes notice that another has died, long before a host is silent for too long; and that one has not.</summary>
public sealed class RingTests : NewsTest
{
    private const string Waits = "%coppice.next%";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_tasks_of_a_process_that_is_killed_are_ended_at_once(bool afterTheRingBroke)
    {
        var survivors = new[] { await StartAsync(), await StartAsync() };
        using var child = ChildProcess.Start(await ConnectionStringAsync(), Schema.Name, tasks: 20);
        var tasks = await child.TasksAsync();
        await UntilAsync(Waiting(3));
        if (afterTheRingBroke)
        {
            Assert.Equal(3, await TerminateAsync(Waits));
        }

        child.Kill();
        var killed = TimeProvider.System.GetTimestamp();

        foreach (var task in tasks)
        {
            var end = await survivors[0].WaitAsync(task, Stop).Within();
            Assert.Equal((TaskState.Failed, Orphans.Error), (end.State, end.Error));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"Settled after {TimeProvider.System.GetElapsedTime(killed).TotalMilliseconds:0} ms.");
        await using var inbox = await survivors[1].OpenInboxAsync("t1", Stop).Within();
        await StoreLog.UntilAsync(4105).Within();
        var (noticed, settled) = (StoreLog.Of(4104)[0], StoreLog.Of(4105)[0]);
        Assert.Equal(noticed.Fields["Epoch"], settled.Fields["Epoch"]);
        var mail = await inbox.DrainAsync(Stop).AsTask().Within();
        Assert.Equal(tasks.Order(), mail.Select(static item => Assert.IsType<TaskFailed>(item.Event).TaskId).Order());
    }

    [Fact]
    public async Task Of_processes_that_die_one_after_the_other_each_is_noticed()
    {
        var survivor = await StartAsync();
        var children = new List<ChildProcess>();
        try
        {
            var tasks = new List<string>();
            for (var i = 0; i < 3; i++)
            {
                children.Add(ChildProcess.Start(await ConnectionStringAsync(), Schema.Name, tasks: 1));
                tasks.AddRange(await children[^1].TasksAsync());
            }

            foreach (var (child, task) in children.Zip(tasks))
            {
                child.Kill();
                Assert.Equal(TaskState.Failed, (await survivor.WaitAsync(task, Stop).Within()).State);
            }
        }
        finally
        {
            children.ForEach(static child => child.Dispose());
        }
    }

    [Fact]
    public async Task A_process_that_lives_takes_its_locks_again_when_their_connection_was_ended()
    {
        var (store, other) = (await OpenAsync(), await OpenAsync());
        await StartAsync(store, options => options.HostName = "here");
        await StartAsync(other, options => options.HostName = "there");
        await StartAsync(other, options => options.HostName = "there too");
        await UntilAsync(Holding(3));

        Assert.True(await TerminateAsync("SELECT pg_advisory_lock_shared(%") >= 2);

        await UntilAsync(Holding(3));
        Assert.All(await store.HeartbeatAsync(HostFence.None, Stop), static host => Assert.False(host.HasLeft, host.Fence.HostId));
    }

    [Fact]
    public async Task A_host_that_leaves_lets_go_of_its_lock()
    {
        var store = await OpenAsync();
        var (first, _) = (await StartAsync(store), await StartAsync(store));
        await UntilAsync(Holding(2));

        await first.DisposeAsync().AsTask().Within();

        await UntilAsync(Holding(1));
    }

    [Fact]
    public async Task A_host_that_was_given_up_lets_go_of_its_lock_though_its_process_lives()
    {
        var store = await OpenAsync();
        await StartAsync(store, static options => options.HostName = "there");
        var reaper = await StoreHost.JoinAsync(await OpenAsync(), "reaper");
        var fence = (await store.HeartbeatAsync(HostFence.None, Stop)).Single(static host => host.Fence.HostId == "there").Fence;
        var held = $"""
            SELECT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1
                AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('coppice host {Schema.Name} {fence.Epoch}', 0))
            """;
        Assert.Equal(true, await Schema.QueryAsync(held));

        await reaper.AnswerAsync(new SettleHost(fence));

        await UntilAsync($"SELECT NOT ({held})");
    }

    // What a host of the schema holds, that is an open one, and shared.
    private string Holding(int hosts) =>
        $"""
        SELECT count(*) = {hosts} FROM {Schema.Name}.hosts h JOIN pg_locks l ON l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.mode = 'ShareLock'
            AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('coppice host {Schema.Name} ' || h.epoch, 0)
        """;

    private string Waiting(int processes) =>
        $"SELECT count(DISTINCT pid) = {processes} FROM pg_stat_activity WHERE application_name = '{Schema.Name}' AND wait_event = 'advisory' AND query LIKE '{Waits}'";
}
