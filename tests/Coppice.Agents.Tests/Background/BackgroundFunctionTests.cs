using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Coppice.Agents.Tests;

public sealed class BackgroundFunctionTests
{
    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task It_answers_at_once_and_the_result_becomes_the_tasks(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        var go = new TaskCompletionSource();
        var function = AIFunctionFactory.Create(
            async (string city) =>
            {
                await go.Task;
                return new Forecast(city, 21.5);
            },
            "forecast");

        var answer = await function.InBackground(bench.Manager, "t1").CallAsync("""{"city":"Oslo"}""");
        var id = answer.Text("task_id");
        answer.IsExactly($$"""{"task_id":"{{id}}","status":"running"}""");
        Assert.Equal(TaskState.Running, (await bench.Manager.GetAsync(id, Bench.Stop))!.State);
        go.SetResult();
        var task = await bench.Manager.WaitAsync(id, Bench.Stop);

        Assert.Equal("""{"city":"Oslo","degrees":21.5}""", task.Result!.Value.GetRawText());
        Assert.Equal("forecast", task.Type);
        Assert.Equal("t1", task.OwnerThreadId);
    }

    [Fact]
    public async Task A_throw_is_the_tasks_failure()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create(string () => throw new InvalidDataException("no such city"), "forecast");

        var task = await RunAsync(bench, function.InBackground(bench.Manager, "t1"));

        Assert.Equal((TaskState.Failed, "no such city"), (task.State, task.Error));
    }

    [Fact]
    public async Task A_missing_argument_of_the_function_is_the_tasks_failure()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create((string city) => city, "forecast");

        var task = await RunAsync(bench, function.InBackground(bench.Manager, "t1"));

        Assert.Equal(TaskState.Failed, task.State);
        Assert.Contains("city", task.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_lineage_is_the_calls_and_inside_of_the_work_there_is_no_call()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create(() => (Call: ToolCallScope.Current is null, Task: TaskContext.Current!.TaskId).ToString(), "look");
        var background = function.InBackground(bench.Manager, "t1");
        using var call = ToolCallScope.Begin("run-1", "call-9", "planner");

        var task = await RunAsync(bench, background);
        var parent = await bench.Manager.SpawnAsync(
            "t1", async _ => TaskOutcome.Success(await background.CallAsync("{}")), cancellationToken: Bench.Stop);
        var child = (await bench.Manager.WaitAsync(parent, Bench.Stop)).Result!.Value.Text("task_id");

        Assert.Equal(new TaskLineage { RunId = "run-1", CallId = "call-9", AgentId = "planner" }, task.Lineage);
        Assert.Equal($"(True, {task.TaskId})", task.Result!.Value.GetString());
        Assert.Equal(parent, (await bench.Manager.GetAsync(child, Bench.Stop))!.Lineage.TaskId);
    }

    [Fact]
    public async Task The_tasks_token_takes_the_place_of_the_calls()
    {
        await using var bench = await Bench.StartAsync();
        var started = new TaskCompletionSource<CancellationToken>();
        var function = AIFunctionFactory.Create(
            async (CancellationToken stop) =>
            {
                started.SetResult(stop);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            },
            "park");
        using var call = new CancellationTokenSource();

        var answer = await function.InBackground(bench.Manager, "t1").CallAsync(ToolCalls.Arguments("{}"), call.Token);
        await call.CancelAsync();
        var token = await started.Task;
        Assert.False(token.IsCancellationRequested);
        await bench.Manager.CancelAsync(answer.Text("task_id"), Bench.Stop);

        Assert.Equal(TaskState.Cancelled, (await bench.Manager.WaitAsync(answer.Text("task_id"), Bench.Stop)).State);
        Assert.True(token.IsCancellationRequested);
    }

    [Fact]
    public async Task The_model_decides_where_it_may()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create((string city) => city, "forecast");
        var usually = function.InBackground(bench.Manager, "t1", new() { Mode = BackgroundMode.ModelDecides });
        var seldom = function.InBackground(bench.Manager, "t1", new() { Mode = BackgroundMode.ModelDecides, RunInBackgroundByDefault = false });

        Assert.Equal("Oslo", (await usually.CallAsync("""{"city":"Oslo","run_in_background":false}""")).GetString());
        Assert.Equal("Oslo", (await seldom.CallAsync("""{"city":"Oslo"}""")).GetString());
        Assert.Equal("Oslo", (await seldom.CallAsync("""{"city":"Oslo","run_in_background":null}""")).GetString());
        Assert.Equal("running", (await usually.CallAsync("""{"city":"Oslo"}""")).Text("status"));
        Assert.Equal("running", (await seldom.CallAsync("""{"city":"Oslo","run_in_background":true}""")).Text("status"));
        Assert.Equal("running", (await seldom.CallAsync(new AIFunctionArguments { ["city"] = "Oslo", ["run_in_background"] = true })).Text("status"));

        var wrong = await usually.CallAsync("""{"city":"Oslo","run_in_background":"yes"}""");
        wrong.IsExactly("""{"status":"failed","error":"invalid_arguments","message":"\u0027run_in_background\u0027 must be true or false; it is a string."}""");
    }

    [Fact]
    public async Task A_direct_call_passes_the_calls_token_and_what_it_throws()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create((CancellationToken stop) => stop.ThrowIfCancellationRequested(), "stop");
        var background = function.InBackground(bench.Manager, "t1", new() { Mode = BackgroundMode.ModelDecides });
        using var call = new CancellationTokenSource();
        await call.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await background.InvokeAsync(ToolCalls.Arguments("""{"run_in_background":false}"""), call.Token));
    }

    [Fact]
    public async Task The_schema_gets_the_arguments_that_were_allowed_and_no_others()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create((string city) => city, "forecast", "Tells the weather.");

        var always = function.InBackground(bench.Manager, "t1");
        var choice = function.InBackground(
            bench.Manager, "t1", new() { Mode = BackgroundMode.ModelDecides, RunInBackgroundByDefault = false, AllowTaskName = true });
        var properties = choice.JsonSchema.GetProperty("properties");

        Assert.Equal(function.JsonSchema.GetRawText(), always.JsonSchema.GetRawText());
        Assert.Equal(["city", "run_in_background", "task_name"], properties.EnumerateObject().Select(each => each.Name));
        Assert.Equal("boolean", properties.GetProperty("run_in_background").Text("type"));
        Assert.False(properties.GetProperty("run_in_background").GetProperty("default").GetBoolean());
        Assert.Equal("string", properties.GetProperty("task_name").Text("type"));
        Assert.Equal("""["city"]""", choice.JsonSchema.GetProperty("required").GetRawText());
        Assert.StartsWith("Tells the weather. Runs in the background", always.Description, StringComparison.Ordinal);
        Assert.Contains("run_in_background", choice.Description, StringComparison.Ordinal);
        Assert.Equal("forecast", choice.Name);
        Assert.NotNull(always.ReturnJsonSchema);
        Assert.Null(choice.ReturnJsonSchema);
    }

    [Fact]
    public async Task A_schema_without_properties_gets_them()
    {
        await using var bench = await Bench.StartAsync();
        var options = new BackgroundFunctionOptions { AllowTaskName = true };

        foreach (var schema in (string[])["{}", "true", """{"type":"object"}"""])
        {
            var background = new SchemaOnly(JsonElement.Parse(schema)).InBackground(bench.Manager, "t1", options);

            Assert.Equal("object", background.JsonSchema.Text("type"));
            Assert.True(background.JsonSchema.GetProperty("properties").Has("task_name"));
        }
    }

    [Fact]
    public async Task An_argument_that_the_function_has_itself_cannot_be_added()
    {
        await using var bench = await Bench.StartAsync();
        var choosing = AIFunctionFactory.Create((bool run_in_background) => run_in_background, "a");
        var named = AIFunctionFactory.Create((string task_name) => task_name, "b");

        var clash = Assert.Throws<ArgumentException>(() => choosing.InBackground(bench.Manager, "t1", new() { Mode = BackgroundMode.ModelDecides }));
        Assert.Contains("'run_in_background'", clash.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => named.InBackground(bench.Manager, "t1", new() { AllowTaskName = true }));

        Assert.Equal("true", (await RunAsync(bench, choosing.InBackground(bench.Manager, "t1"), """{"run_in_background":true}""")).Result!.Value.GetRawText());
        Assert.Equal("\"x\"", (await RunAsync(bench, named.InBackground(bench.Manager, "t1"), """{"task_name":"x"}""")).Result!.Value.GetRawText());
    }

    [Fact]
    public async Task The_model_may_name_the_task_and_hears_why_it_may_not()
    {
        await using var bench = await Bench.StartAsync();
        var go = new TaskCompletionSource();
        var function = AIFunctionFactory.Create(() => go.Task, "park").InBackground(bench.Manager, "t1", new() { AllowTaskName = true, Type = "parking" });

        var id = (await function.CallAsync("""{"task_name":"north"}""")).Text("task_id");
        var twice = await function.CallAsync("""{"task_name":"north"}""");
        var reserved = await function.CallAsync("""{"task_name":"bg_1"}""");
        var control = await function.CallAsync("""{"task_name":"a\u0007b"}""");
        var wrong = await function.CallAsync("""{"task_name":7}""");
        go.SetResult();
        var task = await bench.Manager.WaitAsync(id, Bench.Stop);

        Assert.Equal(("north", "parking"), (task.Name, task.Type));
        Assert.Equal(("failed", "duplicate_name"), (twice.Text("status"), twice.Text("error")));
        Assert.Contains("'north'", twice.Text("message"), StringComparison.Ordinal);
        Assert.Equal(("failed", "reserved_name"), (reserved.Text("status"), reserved.Text("error")));
        Assert.Equal(("failed", "invalid_name"), (control.Text("status"), control.Text("error")));
        Assert.Equal(("failed", "invalid_arguments"), (wrong.Text("status"), wrong.Text("error")));
    }

    [Fact]
    public async Task A_store_that_fails_is_an_answer_and_nothing_runs()
    {
        await using var bench = await Bench.StartAsync();
        var ran = false;
        var function = AIFunctionFactory.Create(() => ran = true, "run").InBackground(bench.Manager, "t1");
        bench.Front.Before = static (method, _) =>
        {
            if (method == nameof(ITaskStore.CommitAsync))
            {
                throw new TaskStoreException("The disk is gone.", isTransient: false) { IsKnownNotCommitted = true };
            }
        };

        (await function.CallAsync("{}")).IsExactly("""{"status":"failed","error":"store_unavailable","message":"The disk is gone."}""");
        bench.Front.Before = static (_, _) => { };
        Assert.False(ran);
    }

    [Fact]
    public async Task What_wraps_the_function_stays_discoverable()
    {
        await using var bench = await Bench.StartAsync();
        var inner = AIFunctionFactory.Create(() => 1, "one");
        var asked = new ApprovalRequiredAIFunction(inner);

        var background = asked.InBackground(bench.Manager, "t1");
        var outside = new ApprovalRequiredAIFunction(inner.InBackground(bench.Manager, "t1"));

        Assert.Same(asked, background.GetService<ApprovalRequiredAIFunction>());
        Assert.Same(inner, background.GetService(inner.GetType()));
        Assert.Same(outside, outside.GetService<ApprovalRequiredAIFunction>());
        Assert.Equal("1", (await RunAsync(bench, background)).Result!.Value.GetRawText());
        Assert.Equal("1", (await RunAsync(bench, outside)).Result!.Value.GetRawText());
        Assert.Throws<ArgumentException>(() => outside.InBackground(bench.Manager, "t1"));
    }

    [Fact]
    public async Task A_function_that_blocks_gets_a_thread_of_its_own()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create(() => Thread.CurrentThread.IsThreadPoolThread, "block");

        Assert.Equal("false", (await RunAsync(bench, function.InBackground(bench.Manager, "t1", new() { Blocking = true }))).Result!.Value.GetRawText());
        Assert.Equal("true", (await RunAsync(bench, function.InBackground(bench.Manager, "t1"))).Result!.Value.GetRawText());
    }

    [Fact]
    public async Task Many_calls_at_once_are_as_many_tasks()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create((int n) => n * 2, "double").InBackground(bench.Manager, "t1");

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(n => Task.Run(() => function.CallAsync($$"""{"n":{{n}}}"""))));
        var results = new List<int>();
        foreach (var answer in answers)
        {
            results.Add((await bench.Manager.WaitAsync(answer.Text("task_id"), Bench.Stop)).Result!.Value.GetInt32());
        }

        Assert.Equal(Enumerable.Range(0, 200).Select(n => n * 2), results);
        Assert.Equal(200, answers.Select(answer => answer.Text("task_id")).Distinct().Count());
    }

    [Fact]
    public async Task Options_are_checked_and_copied()
    {
        await using var bench = await Bench.StartAsync();
        var function = AIFunctionFactory.Create(() => 1, "one");
        var options = new BackgroundFunctionOptions { Type = "before" };
        var background = function.InBackground(bench.Manager, "t1", options);
        options.Type = "after";

        Assert.Equal("before", (await RunAsync(bench, background)).Type);
        Assert.Throws<ArgumentException>(() => function.InBackground(new BackgroundFunctionOptions { Type = "" }));
        Assert.Throws<ArgumentException>(() => function.InBackground(new BackgroundFunctionOptions { Mode = (BackgroundMode)9 }));
        Assert.Throws<ArgumentNullException>(() => ((AIFunction)null!).InBackground());
        Assert.Throws<ArgumentNullException>(() => function.InBackground(null!, "t1"));
        Assert.Throws<ArgumentException>(() => function.InBackground(bench.Manager, ""));
    }

    private static async Task<TaskSnapshot> RunAsync(Bench bench, AIFunction background, string arguments = "{}") =>
        await bench.Manager.WaitAsync((await background.CallAsync(arguments)).Text("task_id"), Bench.Stop);

    private sealed record Forecast(string City, double Degrees);

    private sealed class SchemaOnly(JsonElement schema) : AIFunction
    {
        public override string Name => "bare";

        public override JsonElement JsonSchema { get; } = schema;

        protected override ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) => new((object?)null);
    }
}
