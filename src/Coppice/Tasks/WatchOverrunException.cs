namespace Coppice;

/// <summary>
/// A watcher missed changes, because it read more slowly than they came, or because what another process committed could not be told here. Watch again,
/// and read the current state anew.
/// </summary>
public class WatchOverrunException : CoppiceException
{
    /// <summary>Creates the fault.</summary>
    /// <param name="backlog">How many changes may wait.</param>
    public WatchOverrunException(int backlog)
        : base("watch_overrun", $"The watcher fell more than {backlog} changes behind. Watch again, and read the current state anew.")
    {
    }

    /// <summary>Creates the fault for changes of another process that did not come through.</summary>
    public WatchOverrunException()
        : base("watch_overrun", "Changes that another process has committed did not come through. Watch again, and read the current state anew.")
    {
    }
}
