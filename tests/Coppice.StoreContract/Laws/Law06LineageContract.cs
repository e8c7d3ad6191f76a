namespace Coppice.StoreContract;

/// <summary>Law 6: lineage and the ambient context.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class Law06LineageContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    private static readonly AsyncLocal<string?> Foreign = new();

    [Fact]
    public async Task Without_anything_around_it_a_task_has_no_lineage()
    {
        var manager = await StartAsync();
        Assert.Null(TaskContext.Current);
        Assert.True((await SpawnAsync(manager)).IsEmpty);
    }

    [Fact]
    public async Task What_the_caller_leaves_out_is_filled_from_the_tool_call_field_by_field()
    {
        var manager = await StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");

        Assert.Equal(new TaskLineage { RunId = "run-1", CallId = "call-1", AgentId = "planner" }, await SpawnAsync(manager));
        Assert.Equal(
            new TaskLineage { TaskId = "bg_77", RunId = "mine", CallId = "call-1", AgentId = "planner" },
            await SpawnAsync(manager, new TaskLineage { TaskId = "bg_77", RunId = "mine" }));
        Assert.Equal(
            new TaskLineage { RunId = "run-1", CallId = "mine", AgentId = "planner" },
            await SpawnAsync(manager, new TaskLineage { CallId = "mine" }));
        Assert.Equal(
            new TaskLineage { RunId = "run-1", CallId = "call-1", AgentId = "mine" },
            await SpawnAsync(manager, new TaskLineage { AgentId = "mine" }));
    }

    [Fact]
    public async Task An_empty_string_is_no_value_from_the_caller()
    {
        var manager = await StartAsync();
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");

        Assert.Equal(
            new TaskLineage { RunId = "run-1", CallId = "call-1", AgentId = "planner" },
            await SpawnAsync(manager, new TaskLineage { TaskId = "", RunId = "", CallId = "", AgentId = "" }));
    }

    [Theory]
    [InlineData("", "call-1", "planner")]
    [InlineData("run-1", "", "planner")]
    [InlineData("run-1", "call-1", "")]
    [InlineData("", "", "")]
    public async Task An_empty_string_is_no_value_from_the_tool_call(string run, string call, string agent)
    {
        var manager = await StartAsync();
        using var scope = ToolCallScope.Begin(run, call, agent);

        var expected = new TaskLineage { RunId = OrNull(run), CallId = OrNull(call), AgentId = OrNull(agent) };
        Assert.Equal(expected, await SpawnAsync(manager));
    }

    [Fact]
    public async Task The_executing_task_is_the_parent_and_the_tool_call_fills_the_rest()
    {
        var manager = await StartAsync();
        var (parent, lineages) = await InBodyAsync(manager, async context =>
        {
            var plain = await SpawnAsync(manager);
            using var call = ToolCallScope.Begin("run-2", "call-2", "worker");
            return new[] { plain, await SpawnAsync(manager), await SpawnAsync(manager, new TaskLineage { TaskId = "bg_77" }) };
        });

        Assert.Equal(new TaskLineage { TaskId = parent }, lineages[0]);
        Assert.Equal(new TaskLineage { TaskId = parent, RunId = "run-2", CallId = "call-2", AgentId = "worker" }, lineages[1]);
        Assert.Equal(new TaskLineage { TaskId = "bg_77", RunId = "run-2", CallId = "call-2", AgentId = "worker" }, lineages[2]);
    }

    [Fact]
    public async Task The_executing_task_flows_with_the_bodys_async_code()
    {
        var manager = await StartAsync();
        var (parent, lineages) = await InBodyAsync(manager, async context =>
        {
            await Task.Yield();
            var afterAwait = await SpawnAsync(manager);
            var onPool = await Task.Run(() => SpawnAsync(manager), Stop);
            Assert.Same(context, TaskContext.Current);
            return new[] { afterAwait, onPool };
        });

        Assert.All(lineages, lineage => Assert.Equal(new TaskLineage { TaskId = parent }, lineage));
    }

    [Fact]
    public async Task Each_body_has_its_own_task_as_the_executing_one()
    {
        var manager = await StartAsync();
        var child = new TaskCompletionSource<(string Id, string? Current)>();
        var (parent, current) = await InBodyAsync(manager, async context =>
        {
            var id = await manager.SpawnAsync("t1", inner =>
            {
                child.SetResult((inner.TaskId, TaskContext.Current?.TaskId));
                return Task.FromResult(TaskOutcome.Success("done"));
            }, cancellationToken: Stop);
            await child.Task;
            return TaskContext.Current?.TaskId;
        });

        var (childId, childCurrent) = await child.Task.Within();
        Assert.Equal(parent, current);
        Assert.Equal(childId, childCurrent);
        Assert.NotEqual(parent, childId);
    }

    [Fact]
    public async Task A_body_starts_in_a_clean_context_whatever_the_spawners_was()
    {
        var manager = await StartAsync();
        var inside = new TaskCompletionSource<(string? Foreign, TaskLineage Lineage, System.Globalization.CultureInfo Culture)>();
        Foreign.Value = "leaked";
        using (ToolCallScope.Begin("run-1", "call-1", "planner"))
        {
            await manager.SpawnAsync("t1", async _ =>
            {
                var foreign = Foreign.Value;
                inside.SetResult((foreign, await SpawnAsync(manager), System.Globalization.CultureInfo.CurrentCulture));
                return TaskOutcome.Success("done");
            }, cancellationToken: Stop).Within();
        }

        var (leaked, lineage, _) = await inside.Task.Within();
        Assert.Null(leaked);
        Assert.Null(lineage.RunId);
        Assert.Null(lineage.CallId);
        Assert.Null(lineage.AgentId);
        Assert.NotNull(lineage.TaskId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Blocking_bodies_and_agents_start_clean_too(bool blocking)
    {
        var manager = await StartAsync();
        var inside = new TaskCompletionSource<(string? Foreign, TaskLineage Lineage)>();
        Foreign.Value = "leaked";
        using (ToolCallScope.Begin("run-1", "call-1", "planner"))
        {
            Func<TaskContext, Task<TaskOutcome>> body = async _ =>
            {
                var foreign = Foreign.Value;
                inside.SetResult((foreign, await SpawnAsync(manager)));
                return TaskOutcome.Success("done");
            };
            var id = blocking
                ? await manager.SpawnAsync("t1", body, new SpawnOptions { Blocking = true }, Stop).Within()
                : await manager.SpawnAgentAsync("t1", body, cancellationToken: Stop).Within();

            var (leaked, lineage) = await inside.Task.Within();
            Assert.Null(leaked);
            Assert.Equal(new TaskLineage { TaskId = id }, lineage);
        }
    }

    [Fact]
    public async Task A_spawn_changes_nothing_around_its_caller()
    {
        var manager = await StartAsync();
        Foreign.Value = "mine";
        using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
        await SpawnAsync(manager);

        Assert.Equal("mine", Foreign.Value);
        Assert.Null(TaskContext.Current);
        Assert.Equal("call-1", (await SpawnAsync(manager)).CallId);
    }

    [Fact]
    public async Task What_a_body_sets_around_itself_stays_in_it()
    {
        var manager = await StartAsync();
        for (var i = 0; i < 20; i++)
        {
            var (_, seen) = await InBodyAsync(manager, _ =>
            {
                var before = Foreign.Value;
                Foreign.Value = $"body {i}";
                ToolCallScope.Begin("left-open", "left-open", "left-open");
                return Task.FromResult(before);
            });
            Assert.Null(seen);
        }

        Assert.True((await SpawnAsync(manager)).IsEmpty);
    }

    [Fact]
    public async Task Code_that_a_body_leaves_behind_still_counts_as_its_task()
    {
        var manager = await StartAsync();
        var goOn = new Signal();
        var left = new TaskCompletionSource<Task<TaskLineage>>();
        var id = await manager.SpawnAsync("t1", _ =>
        {
            left.SetResult(Task.Run(async () =>
            {
                await goOn.Task;
                return await SpawnAsync(manager);
            }, Stop));
            return Task.FromResult(TaskOutcome.Success("done"));
        }, cancellationToken: Stop).Within();
        await manager.WaitAsync(id, Stop).Within();
        goOn.Set();

        Assert.Equal(new TaskLineage { TaskId = id }, await (await left.Task.Within()).Within());
    }

    [Fact]
    public async Task Code_left_behind_by_a_cancelled_task_cannot_spawn_under_it()
    {
        var manager = await StartAsync();
        var goOn = new Signal();
        var left = new TaskCompletionSource<Task<TaskLineage>>();
        var id = await manager.SpawnAsync("t1", async context =>
        {
            left.SetResult(Task.Run(async () =>
            {
                await goOn.Task;
                return await SpawnAsync(manager);
            }, Stop));
            await context.WhenCancelledAsync();
            return TaskOutcome.Cancelled;
        }, cancellationToken: Stop).Within();
        await left.Task.Within();
        await manager.CancelAsync(id, Stop).Within();
        await manager.WaitAsync(id, Stop).Within();
        goOn.Set();

        var refused = await Assert.ThrowsAsync<SpawnException>(async () => await (await left.Task.Within()).Within());
        Assert.Equal(SpawnError.ParentCancelled, refused.Error);
    }

    [Fact]
    public async Task Tool_calls_nest_and_the_inner_one_counts()
    {
        var manager = await StartAsync();
        using (ToolCallScope.Begin("run-1", "call-1", "planner"))
        {
            using (ToolCallScope.Begin("run-2", "call-2", ""))
            {
                Assert.Equal(new TaskLineage { RunId = "run-2", CallId = "call-2" }, await SpawnAsync(manager));
            }

            Assert.Equal(new TaskLineage { RunId = "run-1", CallId = "call-1", AgentId = "planner" }, await SpawnAsync(manager));
        }

        Assert.True((await SpawnAsync(manager)).IsEmpty);
    }

    [Fact]
    public async Task Tool_calls_at_once_do_not_see_each_other()
    {
        var manager = await StartAsync();
        var lineages = await Enumerable.Range(0, 20).Select(i => Task.Run(async () =>
        {
            using var call = ToolCallScope.Begin($"run-{i}", $"call-{i}", "planner");
            await Task.Yield();
            return await SpawnAsync(manager);
        }, Stop)).AllWithin();

        Assert.Equal(Enumerable.Range(0, 20).Select(static i => $"call-{i}"), lineages.Select(static lineage => lineage.CallId));
    }

    [Fact]
    public void A_tool_call_needs_its_ids()
    {
        Assert.Throws<ArgumentNullException>(static () => ToolCallScope.Begin(null!, "c", "a"));
        Assert.Throws<ArgumentNullException>(static () => ToolCallScope.Begin("r", null!, "a"));
        Assert.Throws<ArgumentNullException>(static () => ToolCallScope.Begin("r", "c", null!));
    }

    [Fact]
    public async Task The_executing_task_counts_only_on_its_own_store_and_a_tool_call_on_any()
    {
        var manager = await StartAsync();
        var elsewhere = await StartAsync(store: await Fixture.CreateAsync());
        var (_, lineage) = await InBodyAsync(manager, async _ =>
        {
            using var call = ToolCallScope.Begin("run-1", "call-1", "planner");
            return await SpawnAsync(elsewhere);
        });

        Assert.Equal(new TaskLineage { RunId = "run-1", CallId = "call-1", AgentId = "planner" }, lineage);
    }

    [Fact]
    public async Task The_executing_task_counts_for_another_manager_on_its_store()
    {
        var manager = await StartAsync();
        var second = await StartAsync();
        var (parent, lineage) = await InBodyAsync(manager, _ => SpawnAsync(second));

        Assert.Equal(new TaskLineage { TaskId = parent }, lineage);
    }

    [Fact]
    public async Task A_cyclic_lineage_out_of_a_snapshot_hangs_nothing()
    {
        var manager = await StartAsync();
        TaskSnapshot[] cycle =
        [
            new() { TaskId = "bg_0", State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch, Lineage = new TaskLineage { TaskId = "bg_1" } },
            new() { TaskId = "bg_1", State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch, Lineage = new TaskLineage { TaskId = "bg_0" } },
            new() { TaskId = "bg_2", State = TaskState.Completed, CreatedAt = DateTimeOffset.UnixEpoch, Lineage = new TaskLineage { TaskId = "bg_2" } },
        ];
        await manager.RestoreAsync("t1", cycle, Stop).Within();

        var child = await manager.SpawnAsync("t1", Bodies.Park, new SpawnOptions { Lineage = new TaskLineage { TaskId = "bg_2" } }, Stop).Within();
        Assert.Equal(1, await manager.CancelTreeAsync("bg_2", Stop).Within());
        Assert.Equal(0, await manager.CancelTreeAsync("bg_0", Stop).Within());
        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(child, Stop).Within()).State);
        Assert.Equal("bg_1", (await manager.GetAsync("bg_0", Stop))!.Lineage.TaskId);
    }

    private static string? OrNull(string value) => value.Length == 0 ? null : value;

    private static async Task<TaskLineage> SpawnAsync(BackgroundTaskManager manager, TaskLineage? lineage = null)
    {
        var id = await manager.SpawnAsync("t9", Bodies.Done, new SpawnOptions { Lineage = lineage ?? TaskLineage.None }, Stop).Within();
        return (await manager.GetAsync(id, Stop))!.Lineage;
    }

    private static async Task<(string Id, T Result)> InBodyAsync<T>(BackgroundTaskManager manager, Func<TaskContext, Task<T>> inside)
    {
        var source = new TaskCompletionSource<T>();
        var id = await manager.SpawnAsync("t1", async context =>
        {
            try
            {
                source.SetResult(await inside(context));
            }
            catch (Exception exception)
            {
                source.SetException(exception);
            }

            return TaskOutcome.Success("done");
        }, cancellationToken: Stop).Within();
        var result = await source.Task.Within();
        await manager.WaitAsync(id, Stop).Within();
        return (id, result);
    }
}
