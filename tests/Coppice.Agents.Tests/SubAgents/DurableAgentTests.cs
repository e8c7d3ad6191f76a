using Coppice.StoreContract;
using Microsoft.Extensions.AI;
using Polly;
using static Coppice.Agents.Tests.SubAgents.DurableTeam;

namespace Coppice.Agents.Tests.SubAgents;

/// <summary>Registered agents: their tasks outlast the process.</summary>
public sealed class DurableAgentTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_registered_agent_is_a_task_of_its_kind_and_one_that_is_not_is_none()
    {
        await using var team = new DurableTeam().Says("Done.");
        var (manager, agent) = await team.StartAsync("a");

        var durable = await manager.SpawnAgentAsync(Owner, agent, "Go.", new() { Name = "one" }, Stop);
        var plain = await manager.SpawnAgentAsync(Owner, agent.WithResult(TeamJson.Default.String), "Go.", null, Stop);

        var ended = await manager.WaitAsync(durable, Stop).Within();
        Assert.Equal(("agent:worker", RecoveryPolicy.Resumable, "sub_agent"), (ended.Work?.Kind, ended.Work?.Recovery, ended.Type));
        Assert.Equal(("Done.", "worker: Go.", "one"), (ended.Result?.GetString(), ended.Description, ended.Name));
        Assert.Null((await manager.WaitAsync(plain, Stop).Within()).Work);
        Assert.Equal("worker", await manager.FindAgentNameAsync(ended.AgentThreadId!, Stop));
    }

    [Fact]
    public async Task Its_kind_has_what_its_options_say()
    {
        await using var team = new DurableTeam();
        team.TaskOptions = new()
        {
            Retry = new RetryPolicy(),
            AttemptTimeout = TimeSpan.FromMinutes(1),
            Timeout = TimeSpan.FromHours(1),
            MaxConcurrency = 3,
            MaxConcurrencyPerThread = 2,
            MaxCrashes = 7,
        };
        var agent = team.NewAgent();
        var (kind, typed) = (agent.Kind, agent.WithResult(TeamJson.Default.Verdict));

        Assert.Same(kind, agent.Kind);
        Assert.Equal(
            (TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), 3, 2, 7, 3, true),
            (kind.AttemptTimeout, kind.Timeout, kind.MaxConcurrency, kind.MaxConcurrencyPerThread, kind.MaxCrashes, kind.Retry.MaxRetryAttempts, kind.HasInbox));
        Assert.Equal(("agent:worker", 7), (typed.Kind.Name, typed.Kind.MaxCrashes));
        Assert.Throws<ArgumentException>(() => new TaskRegistry { }.AddAgent(new ChatAgent(new string('x', 123), new ScriptedChatClient())));
        Assert.Throws<ArgumentException>(() =>
        {
            var registry = new TaskRegistry();
            registry.AddAgent(agent);
            registry.AddAgent(typed);
        });
    }

    [Fact]
    public async Task A_host_that_stops_hands_it_back_and_the_next_goes_on()
    {
        await using var team = new DurableTeam().Asks(("1", "look", "{}"));
        var asked = new Signal();
        team.Tools.Add(AIFunctionFactory.Create(() => "a diff", "look"));
        team.Does(async call =>
        {
            if (!asked.Task.IsCompleted)
            {
                asked.Set();
                await new TaskCompletionSource().Task.WaitAsync(call.CancellationToken);
            }

            return new ChatMessage(ChatRole.Assistant, "Done.");
        });
        var (first, agent) = await team.StartAsync("a");
        var task = await first.SpawnAgentAsync(Owner, agent, "Go.", null, Stop);
        await asked.WaitAsync();
        await first.DisposeAsync().Within();
        Assert.Equal(TaskState.Pending, (await team.Store.GetAsync(task, Stop))!.State);

        var (second, _) = await team.StartAsync("b");
        var ended = await second.WaitAsync(task, Stop).Within();

        Assert.Equal(("Done.", 1, 0), (ended.Result?.GetString(), ended.Work!.Attempt, ended.Work.Crashes));
        Assert.Equal([0, 1], team.Paid);
    }

    [Fact]
    public async Task Of_calls_side_by_side_that_were_cut_off_each_result_is_kept_and_only_what_may_be_is_called_again()
    {
        await using var team = new DurableTeam().Asks(("1", "quick", "{}"), ("2", "slow", "{}"), ("3", "look", "{}")).Says("Done.");
        var isSecond = false;
        var (slow, looking) = (new Signal(), new Signal());
        team.Tools.Add(AIFunctionFactory.Create(() => { team.Made.Enqueue("quick"); return "quick result"; }, "quick"));
        team.Tools.Add(AIFunctionFactory.Create(async () => { team.Made.Enqueue("slow"); slow.Set(); await new TaskCompletionSource().Task; }, "slow"));
        team.Tools.Add(AIFunctionFactory.Create(
            async () =>
            {
                team.Made.Enqueue("look");
                looking.Set();
                if (!isSecond)
                {
                    await new TaskCompletionSource().Task;
                }

                return "a diff";
            },
            "look").Idempotent());
        var (first, agent) = await team.StartAsync("first", team.Store);
        var task = await first.SpawnAgentAsync(Owner, agent, "Go.", null, Stop);
        await slow.WaitAsync();
        await looking.WaitAsync();
        await UntilKeptAsync(team, first, task, "quick result");

        isSecond = true;
        await team.GiveUpAsync("first");
        var (second, _) = await team.StartAsync("second");
        var ended = await second.WaitAsync(task, Stop).Within();

        Assert.Equal("Done.", ended.Result?.GetString());
        Assert.Equal(["look", "look", "quick", "slow"], team.Made.Order());
        var results = team.Calls.Last().Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>()
            .OrderBy(result => result.CallId).Select(result => result.Result!.ToString()!).ToList();
        Assert.Equal(["quick result", "a diff"], [results[0], results[2]]);
        Assert.Contains("It may have had its effect, or not", results[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_was_surely_never_begun_is_made_by_the_next_attempt()
    {
        await using var team = new DurableTeam().Asks(("1", "pay", "{}")).Says("Done.");
        team.Tools.Add(AIFunctionFactory.Create(() => { team.Made.Enqueue("pay"); return "paid"; }, "pay"));
        var front = await team.StartHostAsync("front");
        var (store, dying) = DyingStore.Of(team.Store, Death.BeforeCommit, 3);
        var (_, agent) = await team.StartAsync("first", store);
        var task = (await front.SpawnAsync(agent.Kind, Owner, new ChatAgentInput("Go."), null, Stop)).Id;
        await dying.Died.Within();
        Assert.IsType<StoreStep>(Assert.Single(dying.Last!.Mutations));

        await team.GiveUpAsync("first");
        await team.StartAsync("second");
        await front.WaitAsync(task, Stop).Within();

        Assert.Equal(["pay"], team.Made);
        Assert.Equal([0, 1], team.Paid);
    }

    [Fact]
    public async Task A_model_that_fails_is_asked_again_as_its_retry_says_and_what_it_answered_is_not_paid_for_again()
    {
        await using var team = new DurableTeam().Asks(("1", "spawn_task", """{"kind":"crawl","input":"page"}"""));
        var go = new Signal();
        team.OnCrawl = async (page, context) => { await go.Task.WaitAsync(context.CancellationToken); return "read " + page; };
        var failures = 0;
        team.Does(_ =>
        {
            if (++failures < 3)
            {
                throw new HttpRequestException("no connection");
            }

            go.Set();
            return Task.FromResult(new ChatMessage(ChatRole.Assistant, "I wait."));
        });
        team.Does(_ => Task.FromResult(new ChatMessage(ChatRole.Assistant, "Done.")));
        team.TaskOptions = new() { Retry = new() { MaxRetryAttempts = 2, Delay = TimeSpan.Zero, BackoffType = DelayBackoffType.Constant, UseJitter = false } };
        var (manager, agent) = await team.StartAsync("a");

        var task = await manager.SpawnAgentAsync(Owner, agent, "Go.", null, Stop);
        var ended = await manager.WaitAsync(task, Stop).Within();

        Assert.Equal(("Done.", 2), (ended.Result?.GetString(), ended.Work!.Failures));
        Assert.Equal([0, 1, 2], team.Paid);
        Assert.Equal(TaskState.Completed, Assert.Single(await manager.ListAsync(ended.AgentThreadId!, Stop)).State);
    }

    [Fact]
    public async Task One_that_fails_for_good_takes_its_tasks_with_it()
    {
        await using var team = new DurableTeam().Asks(("1", "spawn_task", """{"kind":"crawl","input":"page"}"""));
        team.OnCrawl = static async (_, context) => { await context.WhenCancelledAsync(); throw new OperationCanceledException(); };
        team.Does(_ => Task.FromException<ChatMessage>(new HttpRequestException("no connection")));
        var (manager, agent) = await team.StartAsync("a");

        var ended = await manager.WaitAsync(await manager.SpawnAgentAsync(Owner, agent, "Go.", null, Stop), Stop).Within();

        Assert.Equal((TaskState.Failed, "no connection"), (ended.State, ended.Error));
        var child = Assert.Single(await manager.ListAsync(ended.AgentThreadId!, Stop));
        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(child.TaskId, Stop).Within()).State);
    }

    [Fact]
    public async Task Cancelling_it_cancels_the_call_in_flight_and_its_tasks()
    {
        await using var team = new DurableTeam().Asks(("1", "spawn_task", """{"kind":"crawl","input":"page"}"""));
        team.OnCrawl = static async (_, context) => { await context.WhenCancelledAsync(); throw new OperationCanceledException(); };
        var asked = new Signal();
        team.Does(async call => { asked.Set(); await new TaskCompletionSource().Task.WaitAsync(call.CancellationToken); return new ChatMessage(); });
        var (manager, agent) = await team.StartAsync("a");
        var task = await manager.SpawnAgentAsync(Owner, agent, "Go.", null, Stop);
        await asked.WaitAsync();

        await manager.CancelAsync(task, Stop);
        var ended = await manager.WaitAsync(task, Stop).Within();

        Assert.Equal(TaskState.Cancelled, ended.State);
        var child = Assert.Single(await manager.ListAsync(ended.AgentThreadId!, Stop));
        Assert.Equal(TaskState.Cancelled, (await manager.WaitAsync(child.TaskId, Stop).Within()).State);
    }

    [Fact]
    public async Task What_was_written_to_it_while_it_was_pending_is_read_by_the_next_attempt_and_nothing_twice()
    {
        await using var team = new DurableTeam();
        var front = await team.StartHostAsync("front");
        var kind = team.NewAgent().Kind;
        var task = (await front.SpawnAsync(kind, Owner, new ChatAgentInput("Go."), null, Stop)).Id;
        var thread = (await front.GetAsync(task, Stop))!.AgentThreadId!;
        var asked = new Signal();
        var isDead = false;
        var child = new GatedBody();
        team.Does(_ =>
        {
            child.Complete(TaskOutcome.Success(System.Text.Json.JsonElement.Parse("7")));
            return Task.FromResult(new ChatMessage(ChatRole.Assistant, "I heard you."));
        });
        team.Does(async _ =>
        {
            asked.Set();
            return isDead ? new ChatMessage(ChatRole.Assistant, "Done.") : await new TaskCompletionSource<ChatMessage>().Task;
        });

        await front.SendAsync(task, new(Owner, "planner"), "before it began", Stop);
        await front.SpawnAsync(thread, child.RunAsync, null, Stop);
        await child.WaitUntilStartedAsync(cancellationToken: Stop);
        await team.StartAsync("first", team.Store);
        await asked.WaitAsync();
        isDead = true;
        await team.GiveUpAsync("first");
        await front.SendAsync(task, new(Owner, "planner"), "after its host died", Stop);
        await front.PostInputAsync(thread, System.Text.Json.JsonElement.Parse("""[{"role":"user","content":"typed meanwhile"}]"""), Stop);
        await team.StartAsync("second");
        var ended = await front.WaitAsync(task, Stop).Within();

        Assert.Equal("Done.", ended.Result?.GetString());
        var last = team.Calls.Last();
        Assert.Contains("after its host died", last.InternalText, StringComparison.Ordinal);
        Assert.Contains("typed meanwhile", last.Text, StringComparison.Ordinal);
        Assert.Equal(2, last.Text.Split("before it began").Length);
        Assert.Equal(2, last.Text.Split("kind=\"completed\"").Length);
        Assert.Empty(await front.ListDeadLettersAsync(thread, Stop));
    }

    [Fact]
    public async Task An_ended_one_is_continued_by_another_that_outlasts_its_process_too()
    {
        await using var team = new DurableTeam().Says("It is fine.").Says("Because.");
        var (manager, agent) = await team.StartAsync("a");
        var first = await manager.SpawnAgentAsync(Owner, agent, "Review it.", null, Stop);
        await manager.WaitAsync(first, Stop).Within();

        var ended = await manager.WaitAsync(await manager.ContinueAgentAsync(first, agent, "Why?", null, Stop), Stop).Within();

        Assert.Equal(("Because.", first, "agent:worker"), (ended.Result?.GetString(), ended.Continues, ended.Work?.Kind));
        Assert.Equal(["Review it.", "It is fine.", "Why?"], team.Calls.Last().Messages.Select(message => message.Text));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_waits_for_its_tasks_leaves_its_room_to_them(bool hasTool)
    {
        await using var team = new DurableTeam().Asks(("1", "spawn_task", """{"kind":"crawl","input":"page"}"""));
        _ = hasTool ? team.Asks(("2", "wait_for_tasks", "{}")) : team.Says("I wait.");
        team.Says("Done.").Says("Done.");
        var (manager, agent) = await team.StartAsync("a", configure: options => options.MaxConcurrentAttempts = 1);

        var ended = await manager.WaitAsync(await manager.SpawnAgentAsync(Owner, agent, "Go.", null, Stop), Stop).Within();

        Assert.Equal("Done.", ended.Result?.GetString());
        Assert.Contains("read page", string.Concat(team.Calls.Select(call => call.Text + string.Concat(call.Messages.SelectMany(message => message.Contents)
            .OfType<FunctionResultContent>().Select(result => result.Result)))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_wakes_up_after_another_went_on_leaves_the_agents_tasks_alone()
    {
        await using var team = new DurableTeam().Asks(("1", "spawn_task", """{"kind":"crawl","input":"page"}""")).Says("I wait.").Says("Done.");
        var go = new Signal();
        team.OnCrawl = async (page, context) => { await go.Task.WaitAsync(context.CancellationToken); return "read " + page; };
        var front = await team.StartHostAsync("front");
        var (store, dying) = DyingStore.Of(team.Store, Death.StandsStill, 4);
        var (first, agent) = await team.StartAsync("first", store);
        var task = (await front.SpawnAsync(agent.Kind, Owner, new ChatAgentInput("Go."), null, Stop)).Id;
        await dying.Died.Within();
        Assert.IsType<AppendConversation>(Assert.Single(dying.Last!.Mutations));
        await team.GiveUpAsync("first");
        await team.StartAsync("second");
        await front.UntilAsync(task, static snapshot => snapshot is { State: TaskState.Running, Work.Attempt: 2 });

        dying.WakeUp();
        await first.DisposeAsync().Within();
        var child = Assert.Single(await front.ListAsync((await front.GetAsync(task, Stop))!.AgentThreadId!, Stop));
        Assert.Null(child.CancelRequestedAt);
        go.Set();

        Assert.Equal(TaskState.Completed, (await front.WaitAsync(task, Stop).Within()).State);
        Assert.Equal(TaskState.Completed, (await front.WaitAsync(child.TaskId, Stop).Within()).State);
    }

    [Fact]
    public async Task A_registered_sub_agent_that_it_spawned_is_found_again_and_not_spawned_twice()
    {
        for (var commit = 1; commit < 100; commit++)
        {
            await using var team = new DurableTeam().Asks(("1", "spawn_agent", """{"agent":"helper","prompt":"Help."}"""), ("2", "spawn_agent", """{"agent":"helper","prompt":"Help."}"""))
                .Says("Done.").Says("Done.").Says("Done.");
            var (store, dying) = DyingStore.Of(team.Store, Death.AfterCommit, commit);
            var front = await team.StartHostAsync("front");
            var agent = await StartAsync("first", store);
            var task = await front.SpawnAsync(agent.Kind, Owner, new ChatAgentInput("Go."), null, Stop);
            var ended = front.WaitAsync(task.Id, Stop);
            var hasDied = await Task.WhenAny(dying.Died, ended).Within() == dying.Died;
            if (hasDied)
            {
                await team.GiveUpAsync("first");
                await StartAsync("second", null);
            }

            Assert.Equal("Done.", (await ended.Within()).Result?.GetString());
            var helpers = await front.ListAsync((await ended).AgentThreadId!, Stop);
            Assert.True(helpers.Count == 2 && helpers.All(helper => helper.State == TaskState.Completed), $"commit {commit}: {helpers.Count} helpers");
            if (!hasDied)
            {
                return;
            }

            async Task<ChatAgent> StartAsync(string host, ITaskStore? store)
            {
                var helper = new ChatAgent("helper", new ScriptedChatClient().Says("helped").Says("helped"));
                team.Change = own => new ChatAgent(own.Name, own.Client) { Agents = [helper] };
                return (await team.StartAsync(host, store, options => options.Tasks.AddAgent(helper))).Agent;
            }
        }

        Assert.Fail("The agent never came to its end.");
    }

    private static async Task UntilKeptAsync(DurableTeam team, BackgroundTaskManager manager, string task, string text)
    {
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        guard.CancelAfter(Wait.Guard);
        while (!(await team.ReadAsync(manager, task)).SelectMany(message => message.Contents).OfType<FunctionResultContent>()
            .Any(result => result.Result?.ToString() == text))
        {
            await Task.Yield();
            guard.Token.ThrowIfCancellationRequested();
        }
    }
}
