namespace Coppice;

/// <summary>A watcher read more slowly than changes came, and missed some. Watch again, and read the current state anew.</summary>
public class WatchOverrunException : CoppiceException
{
    /// <summary>Creates the fault.</summary>
    /// <param name="backlog">How many changes may wait.</param>
    public WatchOverrunException(int backlog)
        : base("watch_overrun", $"The watcher fell more than {backlog} changes behind. Watch again, and read the current state anew.")
    {
    }
}
