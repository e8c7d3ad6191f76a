namespace Coppice.StoreContract;

/// <summary>What a claim makes of a task of a registered kind, and who has it then.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class ClaimWorkContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    [Fact]
    public async Task A_task_of_a_kind_starts_pending_whatever_it_was_to_start_as_and_no_host_has_it()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync(task: task => task with { State = TaskState.Running });

        var task = await Store.GetAsync(id, Stop);
        Assert.Equal(TaskState.Pending, task!.State);
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(StoreHost.Finish(id)));
    }

    [Fact]
    public async Task A_claimed_task_runs_as_the_claiming_hosts_first_attempt()
    {
        var host = await JoinAsync();
        var id = await host.AddWorkAsync();

        var claimed = await host.ClaimOneAsync();

        Assert.Equal(await Store.GetAsync(id, Stop), claimed.Task);
        Assert.Equal(TaskState.Running, claimed.Task.State);
        Assert.Equal(1, claimed.Task.Work!.Attempt);
        Assert.True(claimed.Claim > 0, "A claim has a number.");
        Assert.Equal(0, claimed.Steps);
        Assert.Null(claimed.Checkpoint);
        Assert.Empty((await host.ClaimAsync()).Tasks);
    }
}
