using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice.Agents.Tests;

/// <summary>How long the services of a background function live.</summary>
public sealed class BackgroundScopeTests
{
    [Theory]
    [InlineData(StoreKind.Memory)]
    [InlineData(StoreKind.Sqlite)]
    public async Task The_task_has_a_scope_of_its_own_which_outlives_the_calls_and_ends_once_after_the_work(StoreKind kind)
    {
        await using var bench = await Bench.StartAsync(kind);
        await using var services = Services();
        var go = new TaskCompletionSource();
        var function = AIFunctionFactory.Create(
            async (IServiceProvider given) =>
            {
                var scoped = given.GetRequiredService<Scoped>();
                await go.Task;
                scoped.Use();
                return scoped.Number;
            },
            "use");

        string id;
        await using (var call = services.CreateAsyncScope())
        {
            call.ServiceProvider.GetRequiredService<Scoped>();
            id = (await function.InBackground(bench.Manager, "t1").CallAsync(new AIFunctionArguments { Services = call.ServiceProvider })).Text("task_id");
        }

        go.SetResult();
        var task = await bench.Manager.WaitAsync(id, Bench.Stop);
        var ledger = services.GetRequiredService<Ledger>();

        Assert.Equal(TaskState.Completed, task.State);
        Assert.Equal(2, ledger.Made);
        Assert.Equal(["disposed 1", "used 2", "disposed 2"], ledger.Lines);
        Assert.Equal("2", task.Result!.Value.GetRawText());
    }

    [Fact]
    public async Task It_ends_also_where_the_work_fails_or_is_cancelled()
    {
        await using var bench = await Bench.StartAsync();
        await using var services = Services();
        var failing = AIFunctionFactory.Create((IServiceProvider given) => given.GetRequiredService<Scoped>().Fail(), "fail");
        var parking = AIFunctionFactory.Create(
            async (IServiceProvider given, CancellationToken stop) =>
            {
                given.GetRequiredService<Scoped>();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            },
            "park");

        var failed = await RunAsync(failing);
        var parked = (await parking.InBackground(bench.Manager, "t1").CallAsync(new AIFunctionArguments { Services = services })).Text("task_id");
        await bench.Manager.CancelAsync(parked, Bench.Stop);

        Assert.Equal((TaskState.Failed, "on purpose"), (failed.State, failed.Error));
        Assert.Equal(TaskState.Cancelled, (await bench.Manager.WaitAsync(parked, Bench.Stop)).State);
        var ledger = services.GetRequiredService<Ledger>();
        Assert.Equal(ledger.Made, ledger.Lines.Count(line => line.StartsWith("disposed", StringComparison.Ordinal)));

        async Task<TaskSnapshot> RunAsync(AIFunction function) => await bench.Manager.WaitAsync(
            (await function.InBackground(bench.Manager, "t1").CallAsync(new AIFunctionArguments { Services = services })).Text("task_id"), Bench.Stop);
    }

    [Fact]
    public async Task Parallel_calls_share_no_scope()
    {
        await using var bench = await Bench.StartAsync();
        await using var services = Services();
        var function = AIFunctionFactory.Create((IServiceProvider given) => given.GetRequiredService<Scoped>().Number, "number")
            .InBackground(bench.Manager, "t1");

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Task.Run(() => function.CallAsync(new AIFunctionArguments { Services = services }))));
        var numbers = new HashSet<int>();
        foreach (var answer in answers)
        {
            numbers.Add((await bench.Manager.WaitAsync(answer.Text("task_id"), Bench.Stop)).Result!.Value.GetInt32());
        }

        Assert.Equal(50, numbers.Count);
        Assert.Equal(50, services.GetRequiredService<Ledger>().Lines.Distinct().Count());
    }

    [Fact]
    public async Task A_direct_call_stays_in_the_callers_scope()
    {
        await using var bench = await Bench.StartAsync();
        await using var services = Services();
        await using var call = services.CreateAsyncScope();
        var own = call.ServiceProvider.GetRequiredService<Scoped>();
        var function = AIFunctionFactory.Create((IServiceProvider given) => given.GetRequiredService<Scoped>().Number, "number")
            .InBackground(bench.Manager, "t1", new() { Mode = BackgroundMode.ModelDecides, RunInBackgroundByDefault = false });

        var number = await function.CallAsync(new AIFunctionArguments { Services = call.ServiceProvider });

        Assert.Equal(own.Number, number.GetInt32());
        Assert.Empty(services.GetRequiredService<Ledger>().Lines);
    }

    [Fact]
    public async Task Services_that_know_no_scopes_are_handed_on_as_they_are()
    {
        await using var bench = await Bench.StartAsync();
        var bare = new Bare();
        var function = AIFunctionFactory.Create((IServiceProvider given) => ReferenceEquals(given, bare), "same").InBackground(bench.Manager, "t1");

        var id = (await function.CallAsync(new AIFunctionArguments { Services = bare })).Text("task_id");

        Assert.Equal("true", (await bench.Manager.WaitAsync(id, Bench.Stop)).Result!.Value.GetRawText());
    }

    private static ServiceProvider Services() =>
        new ServiceCollection().AddSingleton<Ledger>().AddScoped<Scoped>().BuildServiceProvider();

    private sealed class Bare : IServiceProvider
    {
        public object? GetService(Type serviceType) => null;
    }

    private sealed class Ledger
    {
        private readonly List<string> _lines = [];
        private int _made;

        public int Made => Volatile.Read(ref _made);

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                {
                    return [.. _lines];
                }
            }
        }

        public int Next() => Interlocked.Increment(ref _made);

        public void Write(string line)
        {
            lock (_lines)
            {
                _lines.Add(line);
            }
        }
    }

    private sealed class Scoped(Ledger ledger) : IAsyncDisposable
    {
        public int Number { get; } = ledger.Next();

        public void Use() => ledger.Write($"used {Number}");

        public void Fail() => throw new InvalidOperationException("on purpose");

        public ValueTask DisposeAsync()
        {
            ledger.Write($"disposed {Number}");
            return ValueTask.CompletedTask;
        }
    }
}
