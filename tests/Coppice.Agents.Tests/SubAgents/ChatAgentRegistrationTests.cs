using Coppice.StoreContract;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coppice.Agents.Tests.SubAgents;

/// <summary>Agents among the services of an application.</summary>
public sealed class ChatAgentRegistrationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_agent_is_registered_as_often_as_one_likes_and_its_functions_have_the_services_of_the_attempt()
    {
        var disposed = new Signal();
        var read = AIFunctionFactory.Create((IServiceProvider services) => { services.GetRequiredService<Unit>().Disposed = disposed; return "read"; }, "read");
        var agent = new ChatAgent("reader", new ScriptedChatClient().Asks("read").Says("Done.")) { Tools = [read] };
        using var host = await StartAsync(services => services.AddScoped<Unit>().AddCoppice().AddAgent(agent).AddAgent(agent));
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();

        var ended = await manager.WaitAsync(await manager.SpawnAgentAsync("chat-1", agent, "Go.", null, Stop), Stop).Within();

        Assert.Equal(("Done.", "agent:reader"), (ended.Result?.GetString(), ended.Work?.Kind));
        await disposed.WaitAsync();
        Assert.Single(manager.Kinds);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task The_context_of_an_agents_task_has_the_services_that_its_functions_have()
    {
        var same = false;
        var read = AIFunctionFactory.Create(
            (IServiceProvider services) =>
            {
                var context = (DurableTaskContext)TaskContext.Current!;
                same = ReferenceEquals(services.GetRequiredService<Unit>(), context.Services.GetService(typeof(Unit)));
                return "read";
            },
            "read");
        var agent = new ChatAgent("reader", new ScriptedChatClient().Asks("read").Says("Done.")) { Tools = [read] };
        using var host = await StartAsync(services => services.AddScoped<Unit>().AddCoppice().AddAgent(agent));
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();

        var ended = await manager.WaitAsync(await manager.SpawnAgentAsync("chat-1", agent, "Go.", null, Stop), Stop).Within();

        Assert.Equal("Done.", ended.Result?.GetString());
        Assert.True(same, "The context has other services than the function.");
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task An_agent_may_be_made_of_services_and_is_found_by_its_name()
    {
        using var host = await StartAsync(services => services.AddSingleton<IChatClient>(new ScriptedChatClient().Says("Done."))
            .AddCoppice().AddAgent("writer", static services => new ChatAgent("writer", services.GetRequiredService<IChatClient>())));
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
        var agent = host.Services.GetRequiredKeyedService<ChatAgent>("writer");

        var ended = await manager.WaitAsync(await manager.SpawnAgentAsync("chat-1", agent, "Go.", null, Stop), Stop).Within();

        Assert.Equal(("Done.", "agent:writer"), (ended.Result?.GetString(), ended.Work?.Kind));
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task An_agent_that_is_made_under_another_name_is_refused_at_the_start()
    {
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(services =>
            services.AddCoppice().AddAgent("writer", static _ => new ChatAgent("reader", new ScriptedChatClient()))));

        Assert.Contains("writer", thrown.Message, StringComparison.Ordinal);
    }

    private static async Task<IHost> StartAsync(Action<IServiceCollection> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        add(builder.Services);
        var host = builder.Build();
        await host.StartAsync(Stop);
        return host;
    }

    private sealed class Unit : IDisposable
    {
        internal Signal? Disposed { get; set; }

        public void Dispose() => Disposed?.Set();
    }
}
