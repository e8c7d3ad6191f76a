namespace Coppice;

/// <summary>The ambient lineage of the tool call that is executing: what a spawn inside it fills run, call and agent from.</summary>
/// <remarks>It flows with the async code of the call, and not into the bodies of tasks. Source: awaken-runtime 0.4.0, tool call context.</remarks>
public static class ToolCallScope
{
    private static readonly AsyncLocal<ToolCall?> Ambient = new();

    /// <summary>Gets the tool call that is executing, or <see langword="null"/>.</summary>
    public static ToolCall? Current => Ambient.Value;

    /// <summary>Opens the scope of a tool call, until the returned object is disposed. Scopes nest; the inner one counts.</summary>
    /// <param name="runId">The run; an empty string is no value.</param>
    /// <param name="callId">The tool call; an empty string is no value.</param>
    /// <param name="agentId">The agent; an empty string is no value.</param>
    /// <param name="run">What cancels the run itself, for a tool that is asked to.</param>
    /// <exception cref="ArgumentNullException">An id is <see langword="null"/>.</exception>
    public static IDisposable Begin(string runId, string callId, string agentId, CancellationTokenSource? run = null)
    {
        ArgumentNullException.ThrowIfNull(runId);
        ArgumentNullException.ThrowIfNull(callId);
        ArgumentNullException.ThrowIfNull(agentId);

        var scope = new Scope(Ambient.Value);
        Ambient.Value = new ToolCall(runId, callId, agentId, run);
        return scope;
    }

    /// <summary>Leaves the tool call behind, for the body of a task that starts inside it.</summary>
    internal static void Clear()
    {
        if (Ambient.Value is not null)
        {
            Ambient.Value = null;
        }
    }

    private sealed class Scope(ToolCall? outer) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                Ambient.Value = outer;
            }
        }
    }
}
