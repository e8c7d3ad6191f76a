namespace Coppice;

/// <summary>What a chat client does when the model has ended its turn and tasks of the thread still run.</summary>
public enum WhenTasksRemain
{
    /// <summary>Return the answer now. Its additional properties say what is still awaited: <c>awaiting_tasks</c>, a list of ids.</summary>
    ReturnNow,

    /// <summary>Wait until there is mail, tell the model, and go on, until nothing is left to wait for. Waiting asks nothing of the model or the store.</summary>
    Wait,
}
