namespace Coppice.Testing;

/// <summary>Runs history after history until one fails, and makes that one small.</summary>
internal sealed class Explorer(Func<SimulationWorld, Task> scenario, SimulationOptions options)
{
    private volatile HistoryRun? _running;

    /// <summary>Gets the history that is being run.</summary>
    internal HistoryRun? Running => _running;

    /// <exception cref="SimulationFailedException">A history failed.</exception>
    internal SimulationReport Explore(CancellationToken cancellationToken)
    {
        var report = new SimulationReport();
        for (var i = 0; i < options.Histories; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var seed = options.FirstSeed + i;
            var run = Run(ChoiceSource.Exploring(seed));
            if (run.Failure is { } failure)
            {
                throw Fail(run, failure, seed, cancellationToken);
            }

            report = report.With(run.Report);
            if (options.Histories == 1)
            {
                report = report with { History = run.Recorder.Lines };
            }
        }

        return report;
    }

    /// <exception cref="SimulationFailedException">The history failed.</exception>
    internal SimulationReport Replay(IReadOnlyList<int> choices)
    {
        var run = Run(ChoiceSource.Replaying(choices));
        return run.Failure is { } failure
            ? throw new SimulationFailedException(failure, seed: null, ReplayString.Write(choices), run.Recorder.Lines, failure.Cause)
            : run.Report with { History = run.Recorder.Lines };
    }

    private HistoryRun Run(ChoiceSource choices)
    {
        var run = new HistoryRun(choices, options);
        _running = run;
        run.Run(scenario);
        return run;
    }

    private SimulationFailedException Fail(HistoryRun run, Failure failure, long seed, CancellationToken cancellationToken)
    {
        var choices = run.Loop.Choices.Made;
        if (failure.Law != Failure.LimitLaw)
        {
            var shrinker = new Shrinker(
                candidate =>
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    var again = Run(ChoiceSource.Replaying(candidate));
                    return again.Failure?.Law == failure.Law ? again.Loop.Choices.Made : null;
                },
                options.MaxShrinkRuns);
            choices = shrinker.Shrink(choices);
            var smallest = Run(ChoiceSource.Replaying(choices));
            if (smallest.Failure?.Law == failure.Law)
            {
                (run, failure) = (smallest, smallest.Failure);
            }
            else
            {
                failure = failure with
                {
                    What = failure.What + " (and running it again gave something else: the scenario has chance of its own, "
                        + "such as Guid.NewGuid, Random.Shared or the order of a hash table)",
                };
            }
        }

        return new SimulationFailedException(failure, seed, ReplayString.Write(choices), run.Recorder.Lines, failure.Cause);
    }
}
