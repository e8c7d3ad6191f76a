namespace Coppice.Cli.Survey;

/// <summary>Shows nothing.</summary>
internal sealed class QuietView : ISurveyView
{
    public void Notice(string text, bool urgent = false)
    {
        // That is what --quiet asks for.
    }

    public Task RunAsync(SurveyBoard board, CancellationToken done) => Task.CompletedTask;
}
