using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice;

/// <summary>A kind of task with the types of its input and its result.</summary>
/// <typeparam name="TInput">The type of the input.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public sealed class TaskKind<TInput, TResult> : TaskKind
{
    /// <summary>Creates a kind.</summary>
    /// <param name="name">The name, by which tasks are stored; see <see cref="TaskKind.Name"/>.</param>
    /// <param name="inputType">The contract of the input, as a source generator writes it.</param>
    /// <param name="resultType">The contract of the result, as a source generator writes it.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    public TaskKind(string name, JsonTypeInfo<TInput> inputType, JsonTypeInfo<TResult> resultType)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(inputType);
        ArgumentNullException.ThrowIfNull(resultType);
        InputType = inputType;
        ResultType = resultType;
    }

    /// <summary>Creates a kind whose input and result are written with the web defaults, by reflection.</summary>
    /// <param name="name">The name, by which tasks are stored; see <see cref="TaskKind.Name"/>.</param>
    /// <exception cref="ArgumentException">The name is not allowed.</exception>
    [RequiresUnreferencedCode(JsonValue.ReflectionMessage)]
    [RequiresDynamicCode(JsonValue.ReflectionMessage)]
    public TaskKind(string name)
        : this(
            name,
            (JsonTypeInfo<TInput>)JsonSerializerOptions.Web.GetTypeInfo(typeof(TInput)),
            (JsonTypeInfo<TResult>)JsonSerializerOptions.Web.GetTypeInfo(typeof(TResult)))
    {
    }

    /// <summary>Gets the contract of the input.</summary>
    public JsonTypeInfo<TInput> InputType { get; }

    /// <summary>Gets the contract of the result.</summary>
    public JsonTypeInfo<TResult> ResultType { get; }

    internal override RegisteredKind Register(IServiceScopeFactory scopes, Func<IServiceProvider, IBackgroundTask> create) => Register(
        scopes, (input, context) => ((IBackgroundTask<TInput, TResult>)create(context.Services)).RunAsync(input, context));

    /// <summary>Registers the kind with a function that runs it, each attempt in a scope of its own.</summary>
    internal RegisteredKind Register(IServiceScopeFactory scopes, Func<TInput, DurableTaskContext, Task<TResult>> run) =>
        new RegisteredKind<TInput, TResult>(this, async (input, context) =>
        {
            var scope = scopes.CreateAsyncScope();
            await using (scope.ConfigureAwait(false))
            {
                context.Services = scope.ServiceProvider;
                return await run(input, context).ConfigureAwait(false);
            }
        });
}
