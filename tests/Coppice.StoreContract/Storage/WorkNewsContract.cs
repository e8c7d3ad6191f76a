namespace Coppice.StoreContract;

/// <summary>What a store tells of work that may be claimed: never less than there is.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class WorkNewsContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private readonly RecordingListener _listener = new() { WantsChanges = false };

    [Fact]
    public async Task A_task_that_is_ready_is_told_as_it_is_added()
    {
        var host = await JoinAsync();
        using var subscription = Store.Subscribe(_listener);

        await host.AddWorkAsync("a");
        await host.AddWorkAsync("b", work: work => work with { DueAt = host.Now });

        AssertTold("a", null);
        AssertTold("b", null);
    }

    [Fact]
    public async Task A_task_that_waits_is_told_with_its_time_and_a_deadline_with_its_own()
    {
        var host = await JoinAsync();
        using var subscription = Store.Subscribe(_listener);

        await host.AddWorkAsync("a", work: work => work with { DueAt = host.Now.AddHours(1), Deadline = host.Now.AddHours(2) });
        await host.AddWorkAsync("b", work: work => work with { Deadline = host.Now.AddHours(3) });

        AssertTold("a", host.Now.AddHours(1));
        AssertTold("a", host.Now.AddHours(2));
        AssertTold("b", null);
        AssertTold("b", host.Now.AddHours(3));
    }

    [Fact]
    public async Task Each_task_of_a_batch_is_told()
    {
        var host = await JoinAsync();
        using var subscription = Store.Subscribe(_listener);

        await host.CommitAsync(StoreHost.WorkTask("a"), StoreHost.Task(), StoreHost.WorkTask("b"));

        AssertTold("a", null);
        AssertTold("b", null);
    }

    [Fact]
    public async Task A_task_that_is_handed_back_is_told_with_its_time_and_its_deadline()
    {
        var host = await JoinAsync();
        await host.AddWorkAsync(work: work => work with { Deadline = host.Now.AddHours(3) });
        var claimed = await host.ClaimOneAsync();
        using var subscription = Store.Subscribe(_listener);

        await host.HandBackAsync(claimed, host.Now.AddHours(1));

        AssertTold("k", host.Now.AddHours(1));
        AssertTold("k", host.Now.AddHours(3));
    }

    [Fact]
    public async Task A_task_that_is_known_is_not_told_and_nor_is_a_plain_one()
    {
        var host = await JoinAsync();
        await host.AddWorkAsync(work: static work => work with { IdempotencyKey = "key" });
        using var subscription = Store.Subscribe(_listener);

        await host.AnswerAsync(StoreHost.WorkTask(work: static work => work with { IdempotencyKey = "key" }));
        await host.FinishAsync(await host.AddAsync());

        Assert.DoesNotContain(_listener.Snapshot(), static heard => heard.What == "Work");
    }

    [Fact]
    public async Task A_host_that_waits_for_news_only_gets_everything_claimed_under_a_limit()
    {
        const int Tasks = 150;
        var hosts = new[] { await JoinAsync("a"), await JoinAsync("b"), await JoinAsync("c") };
        var one = new KindClaim("k") { MaxRunning = 2, MaxRunningPerThread = 1 };
        var done = 0;
        var all = new Signal();

        var working = hosts.Select(host => Task.Run(
            async () =>
            {
                var news = new SemaphoreSlim(0);
                var listener = new RecordingListener { WantsChanges = false, OnHeard = heard => Tell(heard, news) };
                using var subscription = Store.Subscribe(listener);
                while (true)
                {
                    var claimed = (await host.ClaimAsync(1, one)).Tasks;
                    foreach (var each in claimed)
                    {
                        await host.FinishAsync(each);
                        if (Interlocked.Increment(ref done) == Tasks)
                        {
                            all.Set();
                        }
                    }

                    if (claimed.Count == 0)
                    {
                        var next = news.WaitAsync(Stop);
                        if (await Task.WhenAny(next, all.WaitAsync()) != next)
                        {
                            return;
                        }
                    }
                }
            },
            Stop)).ToList();
        for (var i = 0; i < Tasks; i++)
        {
            await hosts[0].AddWorkAsync(thread: $"t{i % 2}");
        }

        await working.AllWithin();
        Assert.Equal(Tasks, done);
    }

    private static void Tell(RecordingListener.Heard heard, SemaphoreSlim news)
    {
        if (heard.What == "Work")
        {
            news.Release();
        }
    }

    private void AssertTold(string kind, DateTimeOffset? at) =>
        Assert.Contains(_listener.Snapshot(), heard => heard.What == "Work" && heard.Subject == kind && Equals(heard.Detail, at));
}
