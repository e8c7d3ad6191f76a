using System.Diagnostics;
using System.Runtime.InteropServices;
using Coppice.Cli.Tests.Support;

/// <summary>
/// Runs in the command's process before the command does, where a <see cref="SurveyGate"/> asked for it, and holds the folders' tasks back.
/// The runtime looks for it by this name, outside of any namespace.
/// </summary>
internal static partial class StartupHook
{
    private const int Interrupt = 2;
    private const nint DefaultAction = 0;
    private const int FoldersLetThrough = 20;

    private static readonly Lock Gate = new();
    private static int _begun;
    private static bool _isOpen;

    internal static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(SurveyGate.Variable) is not { } path)
        {
            return;
        }

        // What a script starts in the background is deaf to Ctrl-C, and all that it starts; the runtime leaves it so.
        _ = SetAction(Interrupt, DefaultAction);
        ActivitySource.AddActivityListener(new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Coppice",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = activity =>
            {
                if (activity.GetTagItem("coppice.task.type") is "folder" && Interlocked.Increment(ref _begun) > FoldersLetThrough)
                {
                    Pass(path);
                }
            },
        });
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SetAction(int signal, nint action);

    // One of them stands at the pipe, the others behind it: who came to a pipe that nobody holds any more would stand there for good.
    private static void Pass(string path)
    {
        lock (Gate)
        {
            if (!_isOpen)
            {
                using var pipe = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
                _isOpen = pipe.ReadByte() < 0;
            }
        }
    }
}
