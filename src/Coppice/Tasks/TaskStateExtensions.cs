using System.Diagnostics.CodeAnalysis;

namespace Coppice;

/// <summary>What the states of a task mean and how they follow each other.</summary>
public static class TaskStateExtensions
{
    /// <summary>Whether the state is final: completed, failed or cancelled.</summary>
    /// <param name="state">Any state.</param>
    public static bool IsTerminal(this TaskState state) => state >= TaskState.Completed;

    /// <summary>The state's name in JSON, in snake_case: <c>running</c>, <c>input_required</c>, …</summary>
    /// <param name="state">Any defined state.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="state"/> is not defined.</exception>
    public static string ToWireName(this TaskState state) => state switch
    {
        TaskState.Pending => "pending",
        TaskState.Running => "running",
        TaskState.InputRequired => "input_required",
        TaskState.Completed => "completed",
        TaskState.Failed => "failed",
        TaskState.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "There is no such task state."),
    };

    /// <summary>Reads a state's name as <see cref="ToWireName"/> writes it.</summary>
    /// <param name="name">The name; compared exactly.</param>
    /// <param name="state">The state, or <see cref="TaskState.Pending"/> when the name is none.</param>
    /// <returns>Whether the name is that of a state.</returns>
    public static bool TryParseWireName([NotNullWhen(true)] string? name, out TaskState state)
    {
        foreach (var candidate in Enum.GetValues<TaskState>())
        {
            if (candidate.ToWireName() == name)
            {
                state = candidate;
                return true;
            }
        }

        state = default;
        return false;
    }

    /// <summary>Whether a task may go from one state to another in one step. Staying where it is is no move.</summary>
    /// <param name="from">The state it is in.</param>
    /// <param name="to">The state it would be in.</param>
    /// <remarks>
    /// <c>pending</c> → running, cancelled, failed; <c>running</c> → input_required, completed, failed, cancelled, and pending when
    /// its work is handed back; <c>input_required</c> → running, failed, cancelled; nothing leaves a terminal state.
    /// </remarks>
    public static bool CanMoveTo(this TaskState from, TaskState to) => from switch
    {
        TaskState.Pending => to is TaskState.Running or TaskState.Cancelled or TaskState.Failed,
        TaskState.Running => to is not TaskState.Running && Enum.IsDefined(to),
        TaskState.InputRequired => to is TaskState.Running or TaskState.Failed or TaskState.Cancelled,
        _ => false,
    };
}
