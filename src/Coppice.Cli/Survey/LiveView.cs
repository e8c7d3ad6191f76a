using Coppice.Cli.Rendering;
using Coppice.Cli.Terminal;
using Spectre.Console;

namespace Coppice.Cli.Survey;

/// <summary>The live tree of tasks, redrawn in place on a terminal. It leaves nothing behind.</summary>
internal sealed class LiveView(CliConsole console, TimeProvider time) : ISurveyView
{
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(100);

    private const int EchoWidth = 3;

    private readonly long _started = time.GetTimestamp();
    private volatile TextLine _notice = new();

    public void Notice(string text, bool urgent = false) => _notice = new TextLine().Add(SafeText.Line(text), urgent ? Ink.Warn : Ink.Faint);

    public Task RunAsync(SurveyBoard board, CancellationToken done) =>
        console.Live.Live(Draw(board)).AutoClear(true).Overflow(VerticalOverflow.Crop).StartAsync(live => RedrawAsync(live, board, done));

    private async Task RedrawAsync(LiveDisplayContext live, SurveyBoard board, CancellationToken done)
    {
        using var timer = new PeriodicTimer(RedrawInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(done))
            {
                live.UpdateTarget(Draw(board));
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // The survey has ended.
        }
    }

    private Lines Draw(SurveyBoard board)
    {
        // Lines are filled up to the width. A terminal echoes Ctrl-C as "^C" after the last of them, and must not begin a new line for it.
        var now = console.Measure();
        console.Live.Profile.Width = Math.Max(20, now.Width - EchoWidth);
        console.Live.Profile.Height = now.Height;
        return BoardRendering.Draw(board, console.Live.Profile.Width, now.Height, time.GetElapsedTime(_started), _notice);
    }
}
