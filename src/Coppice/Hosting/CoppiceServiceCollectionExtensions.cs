using Coppice;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Coppice to an application.</summary>
public static class CoppiceServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="BackgroundTaskManager"/>, started and drained with the host. It can be resolved at any time; a call that comes
    /// before it has started waits for the start and rethrows its failure. In memory, unless <c>.UseSqlite(…)</c> or another store
    /// follows. Safe to call more than once.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options; they are validated at start-up.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is <see langword="null"/>.</exception>
    public static CoppiceBuilder AddCoppice(this IServiceCollection services, Action<BackgroundTaskOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.AddOptions<BackgroundTaskOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<BackgroundTaskOptions>, BackgroundTaskOptionsFromServices>());
        if (configure is not null)
        {
            services.Configure(configure);
        }

        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<BackgroundTaskOptions>, BackgroundTaskOptionsValidator>());
        services.TryAddSingleton(new TaskStoreOpener((_, _) => ValueTask.FromResult<ITaskStore>(new InMemoryTaskStore())));
        services.TryAddSingleton(provider =>
            new BackgroundTaskManager(provider.GetRequiredService<IOptions<BackgroundTaskOptions>>().Value));
        services.TryAddSingleton<CoppiceHealthCheck>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CoppiceHostedService>());
        return new CoppiceBuilder(services);
    }
}
