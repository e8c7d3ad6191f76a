using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Coppice.Testing.Tests.InProcess;

public sealed class TestManagerTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Time_stands_still_until_it_is_advanced()
    {
        await using var test = await TestManager.StartAsync(cancellationToken: Stop);
        var armed = test.Clock.NextArmedAsync();
        var id = await test.Manager.SpawnAsync("t", task => Task.Delay(TimeSpan.FromHours(1), test.Clock, task.CancellationToken), cancellationToken: Stop);
        await armed;

        test.Clock.Advance(TimeSpan.FromHours(1));

        var task = await test.Manager.AssertCompletedAsync(id, cancellationToken: Stop);
        Assert.Equal(TimeSpan.FromHours(1), task.CompletedAt - task.CreatedAt);
    }

    [Fact]
    public async Task Options_are_configured_and_another_clock_is_not_to_be_advanced()
    {
        await using var test = await TestManager.StartAsync(
            options => (options.TimeProvider, options.MaxNameLength) = (TimeProvider.System, 3), cancellationToken: Stop);

        Assert.Throws<InvalidOperationException>(() => test.Clock);
        await Assert.ThrowsAsync<SpawnException>(() => test.Manager.SpawnAsync("t", new GatedBody().RunAsync, new() { Name = "long" }, Stop).AsTask());
    }

    [Fact]
    public async Task A_store_that_was_given_outlives_the_manager_and_its_own_does_not()
    {
        await using var store = new InMemoryTaskStore();
        var body = new GatedBody();
        await using (var before = await TestManager.StartAsync(store: store, cancellationToken: Stop))
        {
            await before.Manager.SpawnAsync("t", body.RunAsync, new() { Name = "kept" }, Stop);
        }

        await using var after = await TestManager.StartAsync(store: store, cancellationToken: Stop);
        Assert.Equal(TaskState.Cancelled, (await after.Manager.AssertSpawnedAsync("t", "kept", cancellationToken: Stop)).State);

        var own = await TestManager.StartAsync(cancellationToken: Stop);
        await own.DisposeAsync();
        await own.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => own.Store.GetAsync("bg_0", Stop).AsTask());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_never_ends_fails_the_disposal_which_is_done_nevertheless(bool isManual)
    {
        var test = await TestManager.StartAsync(
            options =>
            {
                options.ShutdownGracePeriod = Short;
                options.TimeProvider = isManual ? options.TimeProvider : TimeProvider.System;
            },
            cancellationToken: Stop);
        var stuck = new GatedBody { IgnoresCancellation = true };
        await test.Manager.SpawnAsync("t", stuck.RunAsync, new() { Name = "stuck" }, Stop);
        await test.Manager.SpawnAsync("t", new GatedBody().RunAsync, new() { Name = "ends" }, Stop);
        await stuck.WaitUntilStartedAsync(cancellationToken: Stop);

        var failure = await Assert.ThrowsAsync<TaskAssertionException>(() => test.DisposeAsync().AsTask());

        Assert.Equal(
            "1 body did not end within 0.02 s of the manager's disposal, which cancelled their tokens. Still live:\n  bg_0 running, thread 't', name 'stuck'",
            failure.Message);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => test.Store.GetAsync("bg_0", Stop).AsTask());
        stuck.Complete();
    }

    [Fact]
    public async Task An_applications_manager_gets_a_store_and_a_clock_for_the_test()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddCoppice(options => options.MaxDepth = 2).UseStore((_, _) => throw new InvalidOperationException("The application's own."));
        builder.Services.AddCoppiceTesting(options => options.ShutdownGracePeriod = Short);
        builder.Logging.ClearProviders();
        using var host = builder.Build();
        await host.StartAsync(Stop);
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
        var clock = host.Services.GetRequiredService<ManualClock>();
        clock.Advance(TimeSpan.FromDays(3));

        var stuck = new GatedBody { IgnoresCancellation = true };
        var id = await manager.SpawnAsync("t", stuck.RunAsync, cancellationToken: Stop);
        await stuck.WaitUntilStartedAsync(cancellationToken: Stop);
        Assert.Equal(clock.GetUtcNow(), (await manager.GetAsync(id, Stop))!.CreatedAt);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => host.StopAsync(Stop));
        Assert.Contains("bg_0 running", failure.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => manager.GetAsync(id, Stop).AsTask());
        stuck.Complete();
    }

    [Fact]
    public async Task An_application_whose_bodies_end_stops_as_usual()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddCoppiceTesting();
        builder.Logging.ClearProviders();
        using var host = builder.Build();
        await host.StartAsync(Stop);
        var manager = host.Services.GetRequiredService<BackgroundTaskManager>();
        await manager.SpawnAsync("t", new GatedBody().RunAsync, cancellationToken: Stop);

        await host.StopAsync(Stop);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => manager.HasRunningAsync("t", Stop).AsTask());
    }
}
