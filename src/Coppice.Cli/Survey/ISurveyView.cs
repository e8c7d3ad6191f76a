namespace Coppice.Cli.Survey;

/// <summary>Shows a survey while it runs.</summary>
internal interface ISurveyView
{
    /// <summary>Shows the board until the token is cancelled.</summary>
    Task RunAsync(SurveyBoard board, CancellationToken done);

    /// <summary>Says what is going on as a whole.</summary>
    void Notice(string text, bool urgent = false);
}
