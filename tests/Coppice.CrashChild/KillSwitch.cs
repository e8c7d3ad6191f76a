using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Coppice.CrashChild;

/// <summary>Kills its own process with <c>SIGKILL</c> when a certain commit of the store has become durable.</summary>
/// <param name="commit">Which, from 1; 0 for none.</param>
/// <param name="pause">How long after it; zero for before anybody has its answer.</param>
internal sealed partial class KillSwitch(int commit, TimeSpan pause)
{
    private const int SigKill = 9;

    /// <summary>Gets how many commits there were.</summary>
    internal int Commits { get; private set; }

    /// <summary>The store's writer commits.</summary>
    internal void OnCommit(Action write)
    {
        write();
        if (++Commits != commit)
        {
            return;
        }

        if (pause == TimeSpan.Zero)
        {
            Pull();
        }

        // Meanwhile the writer answers, and who was answered goes on.
        new Thread(PullLater).Start();
    }

    private void PullLater()
    {
        var from = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(from) < pause)
        {
            Thread.SpinWait(10);
        }

        Pull();
    }

    private static void Pull()
    {
        _ = Kill(Environment.ProcessId, SigKill);
        Environment.FailFast("The process outlived SIGKILL.");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
