namespace Coppice.Testing;

/// <summary>One history of a simulation, as its scenario sees it: hosts to start, a clock, and chance.</summary>
public sealed class SimulationWorld
{
    private readonly HistoryRun _run;

    internal SimulationWorld(HistoryRun run) => _run = run;

    /// <summary>Gets the clock of the scenario. Time stands still while anything is ready to go on.</summary>
    public TimeProvider Time => _run.ScenarioTime;

    /// <summary>Gets the hosts that were started, also those that are gone, in the order of their starts.</summary>
    public IReadOnlyList<SimulatedHost> Hosts => _run.Hosts;

    /// <summary>
    /// Starts a host on the store. A start that fails is tried again by a new process, as a supervisor would, after a second.
    /// </summary>
    /// <param name="name">Its name; later hosts of the same name get a number.</param>
    /// <param name="configure">Sets its options. What the simulation needs of them (clock, scheduler, meters, name) is set already.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    public Task<SimulatedHost> StartHostAsync(string name, Action<BackgroundTaskOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return _run.StartHostAsync(name, configure);
    }

    /// <summary>Lets time pass, and with it all that happens meanwhile.</summary>
    /// <param name="time">How much, from zero.</param>
    public Task DelayAsync(TimeSpan time) => Task.Delay(time, Time);

    /// <summary>Chooses a number. 0 should be what makes the history simpler: a failing history is made smaller by choosing it.</summary>
    /// <param name="count">How many there are to choose from, from 1.</param>
    /// <returns>From 0 to under <paramref name="count"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is under 1.</exception>
    public int Choose(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        _run.Loop.CheckThread("SimulationWorld.Choose");
        return _run.Loop.Choices.Choose(count);
    }

    /// <summary>Writes a line into the history.</summary>
    /// <param name="text">The line.</param>
    public void Note(string text) => _run.Recorder.Add(new Noted(_run.Scenario, text));

    /// <summary>Whether anything goes wrong from now on. It does from the start, as far as <see cref="SimulationOptions.Faults"/> says.</summary>
    /// <param name="isOn">Whether it does.</param>
    public void SetFaults(bool isOn) => _run.Trouble.IsOn = isOn;

    internal HistoryRun Run => _run;
}
