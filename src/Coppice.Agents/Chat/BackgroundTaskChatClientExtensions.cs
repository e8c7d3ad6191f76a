using Microsoft.Extensions.AI;

namespace Coppice;

/// <summary>Gives chat clients background tasks.</summary>
public static class BackgroundTaskChatClientExtensions
{
    /// <summary>
    /// Tells the model of a thread's background tasks: see <see cref="BackgroundTaskChatClient"/>. Put it outermost, above any client that
    /// calls functions.
    /// </summary>
    /// <param name="client">The client below.</param>
    /// <param name="manager">The manager of the tasks.</param>
    /// <param name="threadId">The thread of this conversation; 1 to 256 bytes.</param>
    /// <param name="options">How to work; copied.</param>
    /// <exception cref="ArgumentException">An argument or option is missing or out of its range.</exception>
    public static BackgroundTaskChatClient WithBackgroundTasks(
        this IChatClient client, BackgroundTaskManager manager, string threadId, BackgroundTaskChatClientOptions? options = null) =>
        new(client, manager, threadId, options);
}
