namespace Coppice.Cli.Tests.Support;

/// <summary>
/// Stands in a survey's way once it has begun: no folder beyond the first few is counted before the gate opens, however slow the test is.
/// It is a named pipe that the survey reads (see <see cref="StartupHook"/>) and the test holds.
/// </summary>
internal sealed class SurveyGate : IDisposable
{
    public const string Variable = "COPPICE_TEST_SURVEY_GATE";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly TempFolder _folder = new();
    private readonly Task<FileStream> _reached;

    public SurveyGate()
    {
        _folder.Shell("mkfifo gate");

        // Opening it lasts until the survey has opened the other end.
        _reached = Task.Factory.StartNew(
            () => new FileStream(_folder.At("gate"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
    }

    /// <summary>Gets what the survey's process needs to find it.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["DOTNET_STARTUP_HOOKS"] = typeof(SurveyGate).Assembly.Location,
        [Variable] = _folder.At("gate"),
    };

    /// <summary>Waits until the survey stands at the gate.</summary>
    public async Task ReachedAsync(CliProcess survey)
    {
        var ended = survey.WaitAsync();
        if (await Task.WhenAny(_reached, ended).WaitAsync(Patience, TestContext.Current.CancellationToken) == ended)
        {
            Assert.Fail($"The survey ended before it came to the gate: {(await ended).Error}");
        }

        await _reached;
    }

    /// <summary>Lets the survey go on.</summary>
    public void Open() => _reached.Result.Dispose();

    public void Dispose()
    {
        if (_reached.IsCompletedSuccessfully)
        {
            Open();
        }

        _folder.Dispose();
    }
}
