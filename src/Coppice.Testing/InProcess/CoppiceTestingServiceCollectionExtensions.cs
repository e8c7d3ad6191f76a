using Coppice;
using Coppice.Testing;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes an application's Coppice fit for tests.</summary>
public static class CoppiceTestingServiceCollectionExtensions
{
    /// <summary>
    /// Gives the application's manager a throw-away store in memory and a <see cref="ManualClock"/>, which can be resolved, and bounds its
    /// shutdown: bodies that do not end within 5 seconds of real time fail the stop of the host with a
    /// <see cref="TaskAssertionException"/> that lists them. To be called after the application's own <c>AddCoppice</c>, as it replaces the store.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Changes the options, after the application's own changes.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is <see langword="null"/>.</exception>
    public static IServiceCollection AddCoppiceTesting(this IServiceCollection services, Action<BackgroundTaskOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.TryAddSingleton<ManualClock>();
        services.AddCoppice().UseStore(static (_, _) => ValueTask.FromResult<ITaskStore>(new InMemoryTaskStore()));
        services.AddOptions<BackgroundTaskOptions>().PostConfigure<ManualClock>((options, clock) =>
        {
            options.TimeProvider = clock;
            options.ShutdownGracePeriod = TimeSpan.FromSeconds(5);
            configure?.Invoke(options);
        });
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HostedTestShutdown>());
        return services;
    }
}
