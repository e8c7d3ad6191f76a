using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>How a <see cref="BackgroundTaskChatClient"/> works.</summary>
public sealed class BackgroundTaskChatClientOptions
{
    /// <summary>Gets or sets the agent's id, the lineage of what its tool calls spawn and the sender of its messages; at most 256 bytes. Empty by default.</summary>
    public string AgentId { get; set; } = "";

    /// <summary>Gets or sets what makes the id of each turn's run. A new id by default.</summary>
    public Func<string>? CreateRunId { get; set; }

    /// <summary>Gets or sets what happens when the model ends its turn while tasks still run. <see cref="Coppice.WhenTasksRemain.ReturnNow"/> by default.</summary>
    public WhenTasksRemain WhenTasksRemain { get; set; } = WhenTasksRemain.ReturnNow;

    /// <summary>
    /// Gets or sets for how long after its start a turn may still wait for tasks, by the manager's clock; then it returns as it would with
    /// <see cref="Coppice.WhenTasksRemain.ReturnNow"/>. From zero; no limit by default.
    /// </summary>
    public TimeSpan? MaxWait { get; set; }

    /// <summary>
    /// Gets or sets the longest result, error or payload that the model is shown of one event, in characters. From 256; 8,192 by default. The
    /// rest is read with the tool <c>get_task</c>.
    /// </summary>
    public int MaxEventCharacters { get; set; } = 8 * 1024;

    /// <summary>Gets or sets how many events are told in one message; what is left over comes with the next. From 1; 100 by default.</summary>
    public int MaxEventsInMessage { get; set; } = 100;

    /// <summary>Gets or sets how many live tasks the digest names. From 0, which leaves it out; 20 by default.</summary>
    public int MaxDigestTasks { get; set; } = 20;

    /// <summary>
    /// Gets or sets whether the functions that the model asks for are called here. By default they are, unless the client below calls functions
    /// itself (Microsoft's function-invoking client is recognised).
    /// </summary>
    public bool? InvokeFunctions { get; set; }

    /// <summary>
    /// Gets or sets how often one turn may go back to the model with the results of functions. From 1; 40 by default. The model is then asked
    /// once more, without tools. Mail that is told while a turn waits does not count.
    /// </summary>
    public int MaxFunctionRounds { get; set; } = 40;

    /// <summary>Gets or sets whether the model is told the message of the exception with which a function failed. Off by default: it may say what is not meant for it.</summary>
    public bool IncludeErrorDetails { get; set; }

    /// <summary>
    /// Gets or sets what is called with the messages that a turn has added so far, each once: after each answer of the model, before the mail that it
    /// was told is acknowledged, and after its functions were called. Who stores a history here lacks nothing when the process dies in a long turn; the
    /// same messages are in the response, so take them from one of the two. An exception ends the turn, and the mail is told again. Nothing by default.
    /// </summary>
    public Func<IReadOnlyList<ChatMessage>, CancellationToken, ValueTask>? OnMessages { get; set; }

    /// <summary>Gets or sets what functions get as <c>AIFunctionArguments.Services</c>. Nothing by default.</summary>
    public IServiceProvider? Services { get; set; }

    internal BackgroundTaskChatClientOptions Clone() => (BackgroundTaskChatClientOptions)MemberwiseClone();

    internal void Validate()
    {
        RunOptions().Validate();
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxFunctionRounds, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxWait ?? TimeSpan.Zero, TimeSpan.Zero, nameof(MaxWait));
        if (!Enum.IsDefined(WhenTasksRemain))
        {
            throw new ArgumentOutOfRangeException(nameof(WhenTasksRemain), WhenTasksRemain, "There is no such choice.");
        }
    }

    internal AgentRunOptions RunOptions() => new()
    {
        RunId = CreateRunId?.Invoke(),
        AgentId = AgentId,
        MaxEventCharacters = MaxEventCharacters,
        MaxEventsInMessage = MaxEventsInMessage,
        MaxDigestTasks = MaxDigestTasks,
    };
}
