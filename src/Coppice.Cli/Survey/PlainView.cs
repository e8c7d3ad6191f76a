using Coppice.Cli.Rendering;
using Coppice.Cli.Terminal;

namespace Coppice.Cli.Survey;

/// <summary>A line of progress now and then, where nothing can be redrawn.</summary>
internal sealed class PlainView(CliConsole console, TimeProvider time) : ISurveyView
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    public void Notice(string text, bool urgent = false) => console.Say(text);

    public async Task RunAsync(SurveyBoard board, CancellationToken done)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var shown = 0L;
        try
        {
            while (await timer.WaitForNextTickAsync(done))
            {
                if (board.Progress is { } progress && board.Version != shown)
                {
                    shown = board.Version;
                    console.Say(
                        $"{Amounts.Count(progress.FoldersDone)} of {Amounts.Count(progress.FoldersKnown)} folders found so far, "
                        + $"{Amounts.Of(progress.Files, "file")}, {Amounts.Of(progress.Lines, "line")}, {Amounts.Bytes(progress.Bytes)}");
                }
            }
        }
        catch (OperationCanceledException) when (done.IsCancellationRequested)
        {
            // The survey has ended.
        }
    }
}
