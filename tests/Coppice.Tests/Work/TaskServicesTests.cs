using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coppice.Tests.Work;

/// <summary>Kinds that are registered with services.</summary>
public sealed class TaskServicesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_attempt_has_an_instance_and_a_scope_of_its_own_that_end_with_it()
    {
        var seen = new ConcurrentQueue<Resource>();
        using var host = await StartAsync(services => services.AddSingleton(seen).AddScoped<Resource>().AddCoppice().AddTask<TwiceTask>().AddTask<TwiceTask>());
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();

        var task = await manager.SpawnAsync(TwiceTask.Kind, "t1", "x", cancellationToken: Stop);

        Assert.Equal("x 2", await task.ResultAsync(Stop));
        Assert.Equal(2, seen.Count);
        Assert.Equal(2, seen.Distinct().Count());
        Assert.All(seen, static resource => Assert.True(resource.IsDisposed));
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_function_finds_the_services_of_its_attempt_in_its_context()
    {
        var kind = new TaskKind<string, bool>("look");
        var seen = new ConcurrentQueue<Resource>();
        using var host = await StartAsync(services => services.AddSingleton(seen).AddScoped<Resource>().AddCoppice().AddTask(kind, static (_, context) =>
            Task.FromResult(!context.Services.GetRequiredService<Resource>().IsDisposed)));
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();

        Assert.True(await (await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop)).ResultAsync(Stop));

        Assert.True(Assert.Single(seen).IsDisposed);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task Without_a_container_there_are_no_services()
    {
        var kind = new TaskKind<string, bool>("look");
        var options = new BackgroundTaskOptions();
        options.Tasks.Add(kind, static (_, context) => Task.FromResult(context.Services.GetService(typeof(object)) is null));
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);

        Assert.True(await (await manager.SpawnAsync(kind, "t1", "", cancellationToken: Stop)).ResultAsync(Stop));
        Assert.Equal(["look"], manager.Kinds.Select(static known => known.Name));
    }

    [Fact]
    public void A_class_without_its_kind_is_refused_with_advice()
    {
        var refused = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddCoppice().AddTask<HiddenKind>());

        Assert.Contains("HiddenKind needs a public static property: TaskKind<TInput, TResult> Kind", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_kinds_of_one_name_stop_the_start()
    {
        var first = new TaskKind<string, string>("same");
        var second = new TaskKind<string, string>("same");
        var error = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(services =>
            services.AddCoppice().AddTask(first, static (input, _) => Task.FromResult(input)).AddTask(second, static (input, _) => Task.FromResult(input))));

        Assert.Contains("'same' is registered already", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_schema_of_an_input_is_what_its_contract_says()
    {
        var kind = new TaskKind<Order, string>("order");
        var options = new BackgroundTaskOptions();
        options.Tasks.Add(kind, static (_, _) => Task.FromResult(""));
        await using var store = new InMemoryTaskStore();
        await using var manager = await BackgroundTaskManager.StartAsync(store, options, Stop);

        var schema = manager.GetInputSchema("order");

        Assert.Equal("object", schema.GetProperty("type").GetString());
        Assert.Equal(["item", "count"], schema.GetProperty("properties").EnumerateObject().Select(static property => property.Name));
        Assert.Throws<KeyNotFoundException>(() => manager.GetInputSchema("nobody"));
    }

    private static async Task<IHost> StartAsync(Action<IServiceCollection> register)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        register(builder.Services);
        var host = builder.Build();
        await host.StartAsync(Stop);
        return host;
    }

    private sealed record Order(string Item, int Count);

    private sealed class Resource : IDisposable
    {
        public Resource(ConcurrentQueue<Resource> seen) => seen.Enqueue(this);

        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    private sealed class TwiceTask(Resource resource) : IBackgroundTask<string, string>
    {
        private int _runs;

        public static TaskKind<string, string> Kind { get; } = new("twice") { Retry = new RetryPolicy { Delay = TimeSpan.Zero } };

        public Task<string> RunAsync(string input, DurableTaskContext context)
        {
            Assert.False(resource.IsDisposed);
            Assert.Same(resource, context.Services.GetRequiredService<Resource>());
            Assert.Equal(1, ++_runs);
            return context.Attempt == 1 ? throw new IOException("once more") : Task.FromResult($"{input} {context.Attempt}");
        }
    }

    private sealed class HiddenKind : IBackgroundTask<string, string>
    {
        static TaskKind<string, string> IBackgroundTask<string, string>.Kind { get; } = new("hidden");

        public Task<string> RunAsync(string input, DurableTaskContext context) => Task.FromResult(input);
    }
}
