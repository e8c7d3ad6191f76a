using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coppice.Tests.Hosting;

public sealed class DependencyInjectionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_manager_can_be_taken_before_the_start_and_its_calls_wait_for_it()
    {
        using var host = BuildHost(services => services.AddCoppice());
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();

        var early = manager.SpawnAsync("t", _ => Task.CompletedTask, cancellationToken: Stop).AsTask();
        Assert.False(early.IsCompleted);
        await host.StartAsync(Stop);

        var ended = await manager.WaitAsync(await early.WaitAsync(Patience, Stop), Stop);
        Assert.Equal(TaskState.Completed, ended.State);
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task A_start_that_fails_fails_the_host_and_every_call_that_waits()
    {
        using var host = BuildHost(services => services.AddCoppice()
            .UseStore((_, _) => throw new TaskStoreException("The store is on fire.", isTransient: false)));
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
        var early = manager.GetAsync("bg_0", Stop).AsTask();

        await Assert.ThrowsAsync<TaskStoreException>(() => host.StartAsync(Stop));

        Assert.Equal("The store is on fire.", (await Assert.ThrowsAsync<TaskStoreException>(() => early.WaitAsync(Patience, Stop))).Message);
        await Assert.ThrowsAsync<TaskStoreException>(() => manager.HasRunningAsync("t", Stop).AsTask());
    }

    [Fact]
    public async Task An_option_out_of_range_stops_the_host_with_what_to_change()
    {
        using var host = BuildHost(services => services.AddCoppice(options => options.MaxDepth = 65));

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Stop));

        Assert.Contains("BackgroundTaskOptions.MaxDepth (65) must be from 1 to 64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_the_host_signals_the_bodies_and_stores_how_they_end()
    {
        await using var store = new InMemoryTaskStore();
        using var host = BuildHost(services => services.AddCoppice().UseStore((_, _) => ValueTask.FromResult(Undisposed.Of(store))));
        await host.StartAsync(Stop);
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
        var id = await manager.SpawnAsync("t", async task =>
        {
            await task.WhenCancelledAsync();
            return TaskOutcome.Success("drained");
        }, cancellationToken: Stop);

        await host.StopAsync(Stop);

        var ended = await ((ITaskStore)store).GetAsync(id, Stop);
        Assert.Equal((TaskState.Completed, "\"drained\""), (ended!.State, ended.Result!.Value.GetRawText()));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => manager.GetAsync(id, Stop).AsTask());
    }

    [Fact]
    public async Task Adding_it_twice_adds_one_manager_and_both_settings_count()
    {
        using var host = BuildHost(services =>
        {
            services.AddCoppice(options => options.MaxNameLength = 8);
            services.AddCoppice(options => options.MaxDepth = 3);
        });
        await host.StartAsync(Stop);

        Assert.Single(host.Services.GetServices<BackgroundTaskManager>());
        Assert.Single(host.Services.GetServices<IHostedService>(), service => service.GetType().Assembly == typeof(BackgroundTaskManager).Assembly);
        var options = host.Services.GetRequiredService<IOptions<BackgroundTaskOptions>>().Value;
        Assert.Equal((8, 3), (options.MaxNameLength, options.MaxDepth));
        await host.StopAsync(Stop);
    }

    [Fact]
    public void What_the_application_sets_wins_over_what_the_host_has_also_when_added_twice()
    {
        var clock = new OtherClock();
        using var host = BuildHost(services =>
        {
            services.AddSingleton(TimeProvider.System);
            services.AddCoppice(options => options.TimeProvider = clock);
            services.AddCoppice();
        });

        Assert.Same(clock, host.Services.GetRequiredService<IOptions<BackgroundTaskOptions>>().Value.TimeProvider);
    }

    [Fact]
    public void The_transport_that_is_registered_is_used_unless_another_is_set()
    {
        var registered = new StoreContract.RecordingTransport();
        var set = new StoreContract.RecordingTransport();
        foreach (var (configure, expected) in new (Action<BackgroundTaskOptions>?, IMessageTransport)[] { (null, registered), (o => o.MessageTransport = set, set) })
        {
            using var host = BuildHost(services =>
            {
                services.AddSingleton<IMessageTransport>(registered);
                services.AddCoppice(configure);
            });

            Assert.Same(expected, host.Services.GetRequiredService<IOptions<BackgroundTaskOptions>>().Value.MessageTransport);
        }
    }

    [Fact]
    public void Clock_loggers_and_meters_of_the_application_are_used_where_nothing_else_is_set()
    {
        var clock = new OtherClock();
        using var host = BuildHost(services =>
        {
            services.AddSingleton<TimeProvider>(clock);
            services.AddCoppice();
        });
        var options = host.Services.GetRequiredService<IOptions<BackgroundTaskOptions>>().Value;

        Assert.Same(clock, options.TimeProvider);
        Assert.Same(host.Services.GetRequiredService<ILoggerFactory>(), options.LoggerFactory);
        Assert.Same(host.Services.GetRequiredService<IMeterFactory>(), options.MeterFactory);
        Assert.NotNull(options.MeterFactory);
    }

    [Fact]
    public async Task Mail_that_waits_in_the_store_is_told_of_once_the_host_has_started()
    {
        var (store, _) = ScriptedStore.Create();
        await using (var earlier = await BackgroundTaskManager.StartAsync(store, cancellationToken: Stop))
        {
            await earlier.WaitAsync(await earlier.SpawnAsync("t1", static _ => Task.CompletedTask, cancellationToken: Stop), Stop);
        }

        var told = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = BuildHost(services => services.AddCoppice(options => options.OnUnreadMail = (thread, _) =>
        {
            told.TrySetResult(thread);
            return ValueTask.CompletedTask;
        }).UseStore((_, _) => ValueTask.FromResult(store)));
        await host.StartAsync(Stop);

        Assert.Equal("t1", await told.Task.WaitAsync(Patience, Stop));
        await host.StopAsync(Stop);
    }

    [Fact]
    public async Task The_store_is_closed_with_the_host()
    {
        var store = new InMemoryTaskStore();
        using var host = BuildHost(services => services.AddCoppice().UseStore((_, _) => ValueTask.FromResult<ITaskStore>(store)));
        await host.StartAsync(Stop);

        await host.StopAsync(Stop);

        Assert.Throws<ObjectDisposedException>(() => { _ = ((ITaskStore)store).GetAsync("bg_0", Stop).AsTask(); });
    }

    [Fact]
    public async Task A_health_check_says_what_is_wrong_as_gravely_as_it_was_registered_and_names_the_host()
    {
        var (store, script) = ScriptedStore.Create();
        using var host = BuildHost(services =>
        {
            services.AddCoppice(static options => options.HostName = "web-1").UseStore((_, _) => ValueTask.FromResult(store));
            services.AddHealthChecks().AddCheck<CoppiceHealthCheck>("coppice", HealthStatus.Degraded);
        });
        var health = host.Services.GetRequiredService<HealthCheckService>();

        Assert.Equal((HealthStatus.Degraded, "The manager has not started."), await LookAsync());
        await host.StartAsync(Stop);
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
        var id = await manager.SpawnAsync("t1", static task => task.WhenCancelledAsync(), cancellationToken: Stop);
        Assert.Equal((HealthStatus.Healthy, "1 tasks are running."), await LookAsync());

        var data = (await health.CheckHealthAsync(Stop)).Entries["coppice"].Data;
        Assert.Equal((1L, "web-1"), (Convert.ToInt64(data["live_tasks"], System.Globalization.CultureInfo.InvariantCulture), data["host"]));
        Assert.True(data.ContainsKey("epoch"));

        script.OnHeartbeat = static _ => [new HostStatus(new HostFence("another", 99), 1, HasLeft: false)];
        var (status, why) = await LookAsync();
        Assert.Equal(HealthStatus.Degraded, status);
        Assert.Contains("given up", why, StringComparison.Ordinal);

        script.OnHeartbeat = static _ => throw new TaskStoreException("The disk is gone.", isTransient: true);
        (status, why) = await LookAsync();
        Assert.Equal(HealthStatus.Degraded, status);
        Assert.Contains("The disk is gone.", why, StringComparison.Ordinal);

        script.OnHeartbeat = static hosts => hosts;
        await manager.CancelAsync(id, Stop);
        await host.StopAsync(Stop);
        Assert.Equal((HealthStatus.Degraded, "The manager is shut down."), await LookAsync());

        async Task<(HealthStatus Status, string? Why)> LookAsync()
        {
            var entry = (await health.CheckHealthAsync(Stop)).Entries["coppice"];
            return (entry.Status, entry.Description);
        }
    }

    [Fact]
    public async Task The_health_check_follows_the_manager_from_before_its_start_to_after_its_end()
    {
        using var host = BuildHost(services =>
        {
            services.AddCoppice();
            services.AddHealthChecks().AddCheck<CoppiceHealthCheck>("coppice");
        });
        var health = host.Services.GetRequiredService<HealthCheckService>();

        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(Stop)).Status);
        await host.StartAsync(Stop);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(Stop)).Status);
        await host.StopAsync(Stop);
        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(Stop)).Status);
    }

    [Fact]
    public async Task A_host_that_never_starts_is_disposed_without_harm()
    {
        var host = BuildHost(services => services.AddCoppice());
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
        var early = manager.GetAsync("bg_0", Stop).AsTask();

        await ((IAsyncDisposable)host).DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => early.WaitAsync(Patience, Stop));
    }

    [Fact]
    public void No_services_are_an_argument_error()
    {
        Assert.Throws<ArgumentNullException>(() => CoppiceServiceCollectionExtensions.AddCoppice(null!));
        Assert.Throws<ArgumentNullException>(() => new ServiceCollection().AddCoppice().UseStore(null!));
    }

    private static IHost BuildHost(Action<IServiceCollection> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        configure(builder.Services);
        return builder.Build();
    }

    /// <summary>A store that outlives its host, so that what the host left in it can be looked at.</summary>
    [SuppressMessage("Performance", "CA1852", Justification = "The proxy that is made at run time derives from it.")]
    internal class Undisposed : DispatchProxy
    {
        private ITaskStore? _store;

        internal static ITaskStore Of(ITaskStore store)
        {
            var proxy = Create<ITaskStore, Undisposed>();
            ((Undisposed)(object)proxy)._store = store;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == nameof(IAsyncDisposable.DisposeAsync) ? ValueTask.CompletedTask : targetMethod.Invoke(_store, args);
    }

    private sealed class OtherClock : TimeProvider;
}
