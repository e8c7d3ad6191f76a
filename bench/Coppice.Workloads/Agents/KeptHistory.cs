namespace Coppice.Workloads;

/// <summary>How an application keeps the history of a conversation.</summary>
internal enum KeptHistory
{
    /// <summary>The response of a turn, when it has it.</summary>
    Responses,

    /// <summary>The updates of a stream, as they come.</summary>
    Updates,

    /// <summary>The messages of each step, as <see cref="BackgroundTaskChatClientOptions.OnMessages"/> has them.</summary>
    Messages,
}
