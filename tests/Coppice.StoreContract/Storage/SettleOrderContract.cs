namespace Coppice.StoreContract;

/// <summary>In which order tasks end or wait in line again that one change reaches together.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class SettleOrderContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private const int Many = 40;

    [Fact]
    public async Task Hosts_that_left_are_settled_in_the_order_in_which_they_joined()
    {
        var spawner = await JoinAsync();
        var ids = new List<string>();
        var hosts = new List<StoreHost>();
        for (var i = 0; i < Many; i++)
        {
            ids.Add(await spawner.AddWorkAsync(work: static work => work with { Recovery = RecoveryPolicy.Idempotent }));
            hosts.Add(await JoinAsync());
            await hosts[^1].ClaimOneAsync();
        }

        hosts.Reverse();
        foreach (var host in hosts)
        {
            await host.AnswerAsync(new LeaveHost());
        }

        var joined = Assert.IsType<HostJoined>(await new StoreHost(Store, HostFence.None).AnswerAsync(new JoinHost("next")));

        Assert.Equal(ids, joined.Recovered);
        Assert.Equal(ids, (await spawner.ClaimAsync()).Tasks.Select(static work => work.Task.TaskId));
    }

    [Fact]
    public async Task What_a_cancel_ends_in_line_ends_in_the_order_of_its_numbers()
    {
        var host = await JoinAsync();
        var reader = await host.OpenAsync("t1");
        var root = await host.AddAsync("t2");
        var ids = new List<string>();
        for (var i = 0; i < Many; i++)
        {
            // Some hang below others, so that a walk from the root does not come by them in their order.
            var parent = i % 3 == 0 ? root : ids[i / 2];
            ids.Add(await host.AddWorkAsync(task: task => task with { Lineage = new TaskLineage { TaskId = parent } }));
        }

        await host.AnswerAsync(new RequestCancel(CancelScope.Tree, root));

        var mail = await Store.ReadMailAsync("t1", reader, 0, 100, Stop);
        Assert.Equal(ids.Select(static id => new TaskCancelled(id)), mail.Items.Select(static item => item.Event));
    }
}
