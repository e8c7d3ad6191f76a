using Coppice;
using Coppice.Samples.ResearchTeam;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    stop.Cancel();
};

try
{
    if (SampleOptions.Parse(args) is not { } options)
    {
        Console.WriteLine(SampleOptions.Help);
        return 0;
    }

    using var model = TeamModel.Choose(ModelSettings.Read(Environment.GetEnvironmentVariable));
    await new ResearchRun(options, model, new Narration(Console.Out, TimeProvider.System)).RunAsync(stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Stopped.");
    return 130;
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync(TerminalText.Line(e.Message));
    return 2;
}
catch (Exception e) when (e is ModelException or CoppiceException or IOException)
{
    await Console.Error.WriteLineAsync(TerminalText.Line(e.Message));
    return 1;
}
