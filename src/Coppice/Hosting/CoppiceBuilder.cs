using System.Diagnostics.CodeAnalysis;
using System.Reflection;
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

    /// <summary>
    /// Registers a kind of task as a class. Each attempt gets an instance of its own, made in a scope of services that lives as long as the attempt. Safe
    /// to call more than once.
    /// </summary>
    /// <typeparam name="TTask">
    /// The class: an <see cref="IBackgroundTask{TInput, TResult}"/> with a public static property <c>Kind</c>.
    /// </typeparam>
    /// <exception cref="ArgumentException">The class has no public static property <c>Kind</c> that is a <see cref="TaskKind"/>.</exception>
    public CoppiceBuilder AddTask<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicProperties)] TTask>()
        where TTask : class, IBackgroundTask
    {
        var kind = typeof(TTask).GetProperty("Kind", BindingFlags.Public | BindingFlags.Static)?.GetValue(null) as TaskKind
            ?? throw new ArgumentException(
                $"{typeof(TTask).Name} needs a public static property: TaskKind<TInput, TResult> Kind {{ get; }}, the same at every call.", nameof(TTask));
        Services.TryAddScoped<TTask>();
        return Add(kind, scopes => kind.Register(scopes, static services => services.GetRequiredService<TTask>()));
    }

    /// <summary>
    /// Registers a kind of task as a function. <see cref="DurableTaskContext.Services"/> is a scope that lives as long as the attempt.
    /// </summary>
    /// <typeparam name="TInput">The type of the input.</typeparam>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="kind">The kind; kept by the caller, who spawns with it.</param>
    /// <param name="run">What an attempt does with the input.</param>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public CoppiceBuilder AddTask<TInput, TResult>(TaskKind<TInput, TResult> kind, Func<TInput, DurableTaskContext, Task<TResult>> run)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(run);
        return Add(kind, scopes => kind.Register(scopes, run));
    }

    private CoppiceBuilder Add(TaskKind kind, Func<IServiceScopeFactory, RegisteredKind> create)
    {
        Services.AddSingleton(new TaskRegistration(kind, create));
        return this;
    }
}
