using Coppice;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Goes on with what <c>AddCoppice</c> began.</summary>
public sealed class CoppiceBuilder
{
    internal CoppiceBuilder(IServiceCollection services) => Services = services;

    /// <summary>Gets the services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Keeps tasks and mail in a store of your choice. It is opened when the host starts and disposed when the host stops. The last call counts.</summary>
    /// <param name="open">Opens the store.</param>
    /// <exception cref="ArgumentNullException"><paramref name="open"/> is <see langword="null"/>.</exception>
    public CoppiceBuilder UseStore(Func<IServiceProvider, CancellationToken, ValueTask<ITaskStore>> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        Services.Replace(ServiceDescriptor.Singleton(new TaskStoreOpener(open)));
        return this;
    }
}
