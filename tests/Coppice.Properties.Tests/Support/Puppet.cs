using System.Threading.Channels;

namespace Coppice.Properties.Tests.Support;

/// <summary>A body that does what it is told, inside itself, and minds its token only when it is told to.</summary>
internal sealed class Puppet
{
    private readonly Channel<Func<TaskContext, Task<TaskOutcome?>>> _orders = Channel.CreateUnbounded<Func<TaskContext, Task<TaskOutcome?>>>();
    private readonly TaskCompletionSource<TaskContext> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<TaskContext> Started => _started.Task;

    internal async Task<TaskOutcome> RunAsync(TaskContext context)
    {
        _started.TrySetResult(context);
        while (true)
        {
            var order = await _orders.Reader.ReadAsync();
            if (await order(context) is { } outcome)
            {
                return outcome;
            }
        }
    }

    /// <summary>Lets the body do something and go on.</summary>
    internal async Task<T> DoAsync<T>(Func<TaskContext, Task<T>> what)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Writer.TryWrite(async context =>
        {
            try
            {
                done.SetResult(await what(context));
            }
            catch (Exception e)
            {
                done.SetException(e);
            }

            return null;
        });
        return await done.Task;
    }

    /// <summary>Lets the body end.</summary>
    internal void End(Func<TaskContext, Task<TaskOutcome>> how) => _orders.Writer.TryWrite(async context => await how(context));
}
