using System.Text.Json;

namespace Coppice.StoreContract;

/// <summary>Laws 2 and the table of states: every state × every move.</summary>
/// <typeparam name="TStore">How the store is made.</typeparam>
public abstract class StateMovesContract<TStore> : ContractTest<TStore>
    where TStore : StoreFixture, new()
{
    // The table of the design, written out once more, so that a slip in CanMoveTo does not hide one in the store.
    private static readonly HashSet<(TaskState From, TaskState To)> Allowed =
    [
        (TaskState.Pending, TaskState.Running), (TaskState.Pending, TaskState.Cancelled), (TaskState.Pending, TaskState.Failed),
        (TaskState.Running, TaskState.InputRequired), (TaskState.Running, TaskState.Completed), (TaskState.Running, TaskState.Failed),
        (TaskState.Running, TaskState.Cancelled), (TaskState.Running, TaskState.Pending),
        (TaskState.InputRequired, TaskState.Running), (TaskState.InputRequired, TaskState.Failed), (TaskState.InputRequired, TaskState.Cancelled),
    ];

    public static TheoryData<TaskState, TaskState> AllMoves()
    {
        var moves = new TheoryData<TaskState, TaskState>();
        foreach (var from in Enum.GetValues<TaskState>())
        {
            foreach (var to in Enum.GetValues<TaskState>())
            {
                moves.Add(from, to);
            }
        }

        return moves;
    }

    public static TheoryData<TaskState> AllStates() => [.. Enum.GetValues<TaskState>()];

    public static TheoryData<TaskState> TerminalStates() => [TaskState.Completed, TaskState.Failed, TaskState.Cancelled];

    [Theory]
    [MemberData(nameof(TerminalStates))]
    public async Task A_move_cannot_end_a_task_because_nobody_would_be_told(TaskState to)
    {
        var host = await JoinAsync();
        var id = await host.AddAsync();

        Assert.Equal(new MoveRefused(TaskState.Running), await host.RefusalAsync(new MoveTask(id, to)));
        Assert.Equal(TaskState.Running, (await Store.GetAsync(id, Stop))!.State);
    }

    [Theory]
    [MemberData(nameof(AllMoves))]
    public async Task A_move_happens_when_the_table_allows_it_and_changes_nothing_when_not(TaskState from, TaskState to)
    {
        var host = await JoinAsync();
        var id = await AddInAsync(host, from);
        var before = await Store.GetAsync(id, Stop);
        host.Now += TimeSpan.FromSeconds(5);
        Mutation move = to.IsTerminal() ? StoreHost.Finish(id, to) : new MoveTask(id, to);

        if (Allowed.Contains((from, to)))
        {
            var answer = await host.AnswerAsync(move);
            Assert.IsType(to.IsTerminal() ? typeof(TaskFinished) : typeof(TaskMoved), answer);
            var after = await Store.GetAsync(id, Stop);
            Assert.Equal(to, after!.State);
            Assert.Equal(to.IsTerminal() ? host.Now : null, after.CompletedAt);
            Assert.Equal(to == TaskState.Failed ? "boom" : null, after.Error);
        }
        else
        {
            Assert.Equal(new MoveRefused(from), await host.RefusalAsync(move));
            Assert.Equal(before, await Store.GetAsync(id, Stop));
        }
    }

    [Theory]
    [MemberData(nameof(AllMoves))]
    public async Task The_attempt_of_a_task_of_a_kind_moves_by_the_same_table_and_back_to_pending_by_handing_it_back(TaskState from, TaskState to)
    {
        var host = await JoinAsync();
        await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        var id = claimed.Task.TaskId;
        await BringWorkToAsync(host, claimed, from);
        var before = await Store.GetAsync(id, Stop);
        var move = MoveOfWork(claimed, to);

        // Nobody has a pending task: it only begins to run with a claim, and only ends with a cancel, its deadline or its last crash.
        if (from != TaskState.Pending && Allowed.Contains((from, to)))
        {
            await host.AnswerAsync(move);
            Assert.Equal(to, (await Store.GetAsync(id, Stop))!.State);
        }
        else
        {
            Assert.Equal(new MoveRefused(from == TaskState.Pending ? null : from), await host.RefusalAsync(move));
            Assert.Equal(before, await Store.GetAsync(id, Stop));
        }
    }

    [Theory]
    [MemberData(nameof(AllStates))]
    public async Task Only_a_pending_task_of_a_kind_is_claimed(TaskState state)
    {
        var host = await JoinAsync();
        await host.AddWorkAsync();
        var claimed = await host.ClaimOneAsync();
        await BringWorkToAsync(host, claimed, state);
        await host.AddAsync(state: TaskState.Pending);

        Assert.Equal(
            state == TaskState.Pending ? [claimed.Task.TaskId] : [], (await host.ClaimAsync()).Tasks.Select(static each => each.Task.TaskId));
    }

    [Theory]
    [MemberData(nameof(AllStates))]
    public async Task A_task_is_live_until_it_is_in_a_terminal_state(TaskState state)
    {
        var host = await JoinAsync();
        await AddInAsync(host, state);

        Assert.Equal(!state.IsTerminal(), await Store.HasLiveAsync("t1", Stop));
        Assert.False(await Store.HasLiveAsync("t2", Stop));
    }

    [Theory]
    [MemberData(nameof(AllStates))]
    public async Task A_cancel_request_reaches_every_live_state_and_no_terminal_one(TaskState state)
    {
        var host = await JoinAsync();
        var id = await AddInAsync(host, state);

        var reached = Assert.IsType<CancelReached>(await host.AnswerAsync(new RequestCancel(CancelScope.Task, id)));

        Assert.Equal(state.IsTerminal() ? [] : [id], reached.TaskIds);
        var task = await Store.GetAsync(id, Stop);
        Assert.Equal(state, task!.State);
        Assert.Equal(state.IsTerminal() ? null : "user", task.CancelledBy);
    }

    [Theory]
    [MemberData(nameof(AllStates))]
    public async Task A_name_is_taken_in_every_live_state_and_free_in_a_terminal_one(TaskState state)
    {
        var host = await JoinAsync();
        await AddInAsync(host, state, "worker");

        if (state.IsTerminal())
        {
            await host.AddAsync(name: "worker");
        }
        else
        {
            Assert.Equal(new AddRefused(SpawnError.DuplicateName), await host.RefusalAsync(StoreHost.Task(name: "worker")));
        }
    }

    [Theory]
    [MemberData(nameof(AllStates))]
    public async Task Events_are_taken_in_every_live_state_and_refused_in_a_terminal_one(TaskState state)
    {
        var host = await JoinAsync();
        var id = await AddInAsync(host, state);
        var post = new PostEvents(id, 0, Mailbag.ProgressRange(id, 0, 2));

        if (state.IsTerminal())
        {
            Assert.Equal(new MoveRefused(state), await host.RefusalAsync(post));
            Assert.Single(await Store.ReadAllAsync(host, "t1"));
        }
        else
        {
            Assert.Equal(new EventsPosted(2), await host.AnswerAsync(post));
        }
    }

    [Theory]
    [MemberData(nameof(TerminalStates))]
    public async Task The_first_end_of_many_at_once_is_the_only_one(TaskState state)
    {
        var host = await JoinAsync();
        for (var round = 0; round < 20; round++)
        {
            var id = await host.AddAsync();
            var ends = await Enumerable.Range(0, 4)
                .Select(end => Task.Run(() => host.CommitAsync(new FinishTask(id, state) { Error = state == TaskState.Failed ? $"{end}" : null }), Stop))
                .AllWithin();

            var winner = Assert.Single(Enumerable.Range(0, 4), end => ends[end].Status == CommitStatus.Landed);
            Assert.Equal(state == TaskState.Failed ? $"{winner}" : null, (await Store.GetAsync(id, Stop))!.Error);
            Assert.All(ends.Where(static end => end.Status != CommitStatus.Landed), end => Assert.Equal([new MoveRefused(state)], end.Answers));
        }

        Assert.Equal(20, (await Store.ReadAllAsync(host, "t1")).Count);
    }

    [Fact]
    public async Task An_unknown_task_can_neither_move_nor_end_nor_emit()
    {
        var host = await JoinAsync();

        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(new MoveTask("bg_0", TaskState.Pending)));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(StoreHost.Finish("bg_0")));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(new PostEvents("bg_0", 0, [Mailbag.Progress("bg_0", 0)])));
        Assert.Equal(new MoveRefused(null), await host.RefusalAsync(new CloseAgentInbox("bg_0")));
    }

    [Theory]
    [MemberData(nameof(AllStates))]
    public async Task A_task_of_another_host_looks_unknown_to_moves_ends_and_events(TaskState state)
    {
        var owner = await JoinAsync("owner");
        var other = await JoinAsync("other");
        var id = await AddInAsync(owner, state);
        var before = await Store.GetAsync(id, Stop);

        Assert.Equal(new MoveRefused(null), await other.RefusalAsync(new MoveTask(id, TaskState.Pending)));
        Assert.Equal(new MoveRefused(null), await other.RefusalAsync(StoreHost.Finish(id, TaskState.Failed)));
        Assert.Equal(new MoveRefused(null), await other.RefusalAsync(new PostEvents(id, 0, [Mailbag.Progress(id, 0)])));
        Assert.Equal(before, await Store.GetAsync(id, Stop));
    }

    [Fact]
    public async Task An_end_keeps_the_text_of_its_result_as_it_was_written()
    {
        const string Json = """{"b":1.50,"a":[1e3,null,"\u00e9"],"z":{}}""";
        var host = await JoinAsync();
        var id = await host.AddAsync();

        await host.AnswerAsync(new FinishTask(id, TaskState.Completed) { Result = Mailbag.Json(Json) });

        Assert.Equal(Json, (await Store.GetAsync(id, Stop))!.Result!.Value.GetRawText());
        var mail = Assert.Single(await Store.ReadAllAsync(host, "t1"));
        Assert.Equal(Json, Assert.IsType<TaskCompleted>(mail.Event).Result!.Value.GetRawText());
    }

    [Fact]
    public async Task A_result_of_null_is_a_result_and_no_result_is_none()
    {
        var host = await JoinAsync();
        var withNull = await host.AddAsync();
        var without = await host.AddAsync();

        await host.AnswerAsync(new FinishTask(withNull, TaskState.Completed) { Result = Mailbag.Json("null") });
        await host.AnswerAsync(new FinishTask(without, TaskState.Completed));

        Assert.Equal(JsonValueKind.Null, (await Store.GetAsync(withNull, Stop))!.Result!.Value.ValueKind);
        Assert.Null((await Store.GetAsync(without, Stop))!.Result);
        Assert.Equal(
            [JsonValueKind.Null, null],
            (await Store.ReadAllAsync(host, "t1")).Select(static item => ((TaskCompleted)item.Event).Result?.ValueKind));
    }

    [Fact]
    public async Task An_end_writes_down_a_cancel_request_that_the_store_could_not_be_told_and_keeps_one_that_it_has()
    {
        var host = await JoinAsync();
        var unknown = await host.AddAsync();
        var known = await host.AddAsync();
        await host.AnswerAsync(new RequestCancel(CancelScope.Thread, "t1"));
        var late = await host.AddAsync();

        await host.AnswerAsync(new FinishTask(known, TaskState.Cancelled) { CancelledBy = "user" });
        await host.AnswerAsync(new FinishTask(late, TaskState.Cancelled) { CancelledBy = "user" });
        await host.AnswerAsync(new FinishTask(unknown, TaskState.Cancelled));

        Assert.Equal("thread", (await Store.GetAsync(known, Stop))!.CancelledBy);
        Assert.Equal("thread", (await Store.GetAsync(unknown, Stop))!.CancelledBy);
        var told = await Store.GetAsync(late, Stop);
        Assert.Equal("user", told!.CancelledBy);
        Assert.NotNull(told.CancelRequestedAt);
    }

    private static Mutation MoveOfWork(ClaimedWork claimed, TaskState to) => to switch
    {
        TaskState.Pending => new HandBackWork(claimed.Task.TaskId, claimed.Claim),
        TaskState.Running or TaskState.InputRequired => new MoveTask(claimed.Task.TaskId, to) { Claim = claimed.Claim },
        _ => StoreHost.Finish(claimed.Task.TaskId, to) with { Claim = claimed.Claim },
    };

    private static async Task BringWorkToAsync(StoreHost host, ClaimedWork claimed, TaskState state)
    {
        if (state != TaskState.Running)
        {
            await host.AnswerAsync(MoveOfWork(claimed, state));
        }
    }

    private static async Task<string> AddInAsync(StoreHost host, TaskState state, string? name = null)
    {
        var id = await host.AddAsync(name: name, state: state == TaskState.Pending ? TaskState.Pending : TaskState.Running);
        if (state == TaskState.InputRequired)
        {
            Assert.IsType<TaskMoved>(await host.AnswerAsync(new MoveTask(id, state)));
        }
        else if (state.IsTerminal())
        {
            await host.FinishAsync(id, state);
        }

        return id;
    }
}
