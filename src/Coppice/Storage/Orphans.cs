namespace Coppice;

/// <summary>How a task ends whose host is gone (law 9).</summary>
public static class Orphans
{
    /// <summary>The error that such a task fails with. Source: awaken-runtime 0.4.0.</summary>
    public const string Error = "task orphaned: runtime restarted while running";
}
