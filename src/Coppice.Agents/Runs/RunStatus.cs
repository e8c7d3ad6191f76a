namespace Coppice;

/// <summary>What is going on behind a run.</summary>
/// <param name="LiveTasks">The ids of the thread's live tasks that its agent will be told of, oldest first.</param>
/// <param name="HasMail">Whether there is mail to be told that has not been acknowledged.</param>
public sealed record RunStatus(IReadOnlyList<string> LiveTasks, bool HasMail)
{
    /// <summary>Gets whether the run has a reason to go on: something to tell, or something to wait for.</summary>
    public bool HasWork => HasMail || LiveTasks.Count > 0;
}
