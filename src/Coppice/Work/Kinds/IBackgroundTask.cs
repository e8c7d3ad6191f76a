namespace Coppice;

/// <summary>A task of a registered kind, as a class: implement <see cref="IBackgroundTask{TInput, TResult}"/>.</summary>
public interface IBackgroundTask
{
}

/// <summary>
/// What a task of a registered kind does. Each attempt gets an instance of its own, made in a scope of services that lives as long as the attempt.
/// </summary>
/// <typeparam name="TInput">The type of the input.</typeparam>
/// <typeparam name="TResult">The type of the result.</typeparam>
public interface IBackgroundTask<TInput, TResult> : IBackgroundTask
{
    /// <summary>Gets the kind. It is declared as a public static property, and is always the same.</summary>
    static abstract TaskKind<TInput, TResult> Kind { get; }

    /// <summary>Does the work of one attempt.</summary>
    /// <param name="input">The input.</param>
    /// <param name="context">Steps, state, events, children, and the token.</param>
    /// <returns>The result. An exception is a failure, which <see cref="TaskKind.Retry"/> may try again.</returns>
    Task<TResult> RunAsync(TInput input, DurableTaskContext context);
}
