using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Coppice.Agents;

/// <summary>One call of a function as the body of a task.</summary>
internal sealed class BackgroundCall
{
    private readonly AIFunction _function;
    private readonly AIFunctionArguments _arguments;
    private readonly ThreadScope _thread;
    private readonly IServiceScopeFactory? _scopes;

    internal BackgroundCall(AIFunction function, AIFunctionArguments arguments, ThreadScope thread)
    {
        _function = function;
        _arguments = arguments;
        _thread = thread;

        // The caller's own scope ends with the call, and the work does not.
        _scopes = arguments.Services?.GetService(typeof(IServiceScopeFactory)) as IServiceScopeFactory;
    }

    internal async Task<TaskOutcome> RunAsync(TaskContext task)
    {
        // What the function calls works for the same thread.
        ThreadScope.Enter(_thread);
        if (_scopes is null)
        {
            return await InvokeAsync(task.CancellationToken).ConfigureAwait(false);
        }

        var scope = _scopes.CreateAsyncScope();
        await using (scope.ConfigureAwait(false))
        {
            _arguments.Services = scope.ServiceProvider;
            return await InvokeAsync(task.CancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<TaskOutcome> InvokeAsync(CancellationToken cancellationToken) => FunctionResult.ToOutcome(
        await _function.InvokeAsync(_arguments, cancellationToken).ConfigureAwait(false), _function.JsonSerializerOptions);
}
