namespace Coppice.Workloads.Tests;

/// <summary>That the rows of PostgreSQL measure what they say.</summary>
public sealed class PostgresTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task The_floor_of_postgresql_writes_the_rows_that_the_store_writes_alone_and_in_groups() => PostgresFloorAgreement.CheckAsync();

    [Fact]
    public async Task A_floor_that_leaves_something_out_is_found()
    {
        await using var one = await PostgresSchema.CreateAsync(Parameters.Parse([]));
        await using var other = await PostgresSchema.CreateAsync(Parameters.Parse([]));
        await PostgresFloor.WriteAsync(one, callers: 4, tasks: 40, group: 3);
        await PostgresFloor.WriteAsync(other, callers: 4, tasks: 40, group: 3);

        Assert.Equal(await PostgresFloorAgreement.DescribeAsync(one), await PostgresFloorAgreement.DescribeAsync(other));
        await other.ExecuteAsync("UPDATE {schema}.threads SET wakes = NOT wakes");
        Assert.NotEqual(await PostgresFloorAgreement.DescribeAsync(one), await PostgresFloorAgreement.DescribeAsync(other));
    }

    [Fact]
    public async Task Two_writers_of_the_floor_write_all_tasks()
    {
        var figures = await PostgresFloor.RunAsync(Parameters.Parse(["tasks=80", "callers=8", "unmeasured=8", "group=3"]));

        Assert.True(figures["one_writer"] > 0 && figures["two_writers"] > 0);
        Assert.Equal(Math.Max(figures["one_writer"], figures["two_writers"]), figures["per_second"]);
    }

    [Fact]
    public async Task A_crowd_is_made_once_and_is_what_a_host_would_have_made()
    {
        const int Tasks = 3000;
        var parameters = Parameters.Parse([$"tasks={Tasks}", $"beside={Tasks}"]);
        await using var schema = await PostgresSchema.CreateAsync(parameters);
        await schema.DropAsync();
        try
        {
            Assert.Equal(Tasks, (await CrowdedSchema.MakeAsync(parameters))["made"]);
            Assert.Equal(0, (await CrowdedSchema.MakeAsync(parameters))["made"]);

            await using var store = await schema.OpenAsync();
            await using var manager = await BackgroundTaskManager.StartAsync(store, DurableKinds.EchoOptions(), Stop);
            var states = new Dictionary<TaskState, int>();
            await foreach (var task in manager.QueryAsync(new TaskQuery(), Stop))
            {
                states[task.State] = states.GetValueOrDefault(task.State) + 1;
            }

            Assert.Equal(new() { [TaskState.Completed] = 2700, [TaskState.Pending] = 300 }, states);
            var copied = await manager.ListAsync("crowd-3-2", Stop);
            Assert.Equal(100, copied.Count);
            var pending = copied.First(static task => task.State == TaskState.Pending);
            Assert.True(await manager.CancelAsync(pending.TaskId, Stop));
            Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(pending.TaskId, Stop)).State);
            Assert.Equal($"bg_{Tasks}", await manager.SpawnAsync("crowd-new", Bodies.Empty, cancellationToken: Stop));
        }
        finally
        {
            await schema.DropAsync();
        }
    }

    [Fact]
    public async Task A_measurement_leaves_no_schema_behind()
    {
        string name;
        await using (var schema = await PostgresSchema.CreateAsync(Parameters.Parse(["beside=100"])))
        {
            name = schema.Name;
            Assert.Single(await schema.TextsAsync($"SELECT 1 FROM pg_namespace WHERE nspname = '{name}'"));
        }

        await using var after = await PostgresSchema.CreateAsync(Parameters.Parse([]));
        Assert.Empty(await after.TextsAsync($"SELECT 1 FROM pg_namespace WHERE nspname = '{name}'"));
    }
}
