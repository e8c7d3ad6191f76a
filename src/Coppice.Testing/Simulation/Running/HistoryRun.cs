using System.Diagnostics.CodeAnalysis;

namespace Coppice.Testing;

/// <summary>Runs one history: the scenario, the rest after it, the shutdown of all hosts, and the audit of what they left.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Run disposes of what it makes.")]
internal sealed class HistoryRun
{
    private static readonly TimeSpan MaxLag = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RestBeyondTimeouts = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan SettlesWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterShutdown = TimeSpan.FromSeconds(30);

    private readonly SimulationOptions _options;
    private readonly List<SimulatedHost> _hosts = [];

    internal HistoryRun(ChoiceSource choices, SimulationOptions options)
    {
        _options = options;
        Loop = new SimulationLoop(choices, options.MaxSteps, MaxLag);
        Recorder = new Recorder(Loop);
        Trouble = new Trouble(options.Faults, Loop, Recorder);
        ScenarioTime = new SimulatedClock(Loop, Scenario);
        Shared = new SharedStore(Loop.Await(options.Store.CreateAsync), Loop, Recorder);
    }

    internal SimulationLoop Loop { get; }

    internal Recorder Recorder { get; }

    internal Trouble Trouble { get; }

    internal SharedStore Shared { get; }

    internal SimulatedMeters Meters { get; } = new();

    internal SimulatedProcess Scenario { get; } = new("");

    internal SimulatedProcess Wire { get; } = new("wire");

    internal TimeProvider ScenarioTime { get; }

    internal IReadOnlyList<SimulatedHost> Hosts => _hosts;

    internal Failure? Failure { get; private set; }

    /// <summary>Gets or sets what a call that nobody awaits threw and should not have.</summary>
    internal Exception? Unexpected { get; set; }

    internal SimulationReport Report => new()
    {
        Histories = 1,
        Steps = Loop.Steps,
        Commits = Shared.Commits,
        Hosts = Recorder.Entries.Count(static entry => entry is HostStarted),
        Crashes = Recorder.Entries.Count(static entry => entry is HostCrashed),
        Time = Loop.Elapsed,
        Faults = Trouble.Met.ToDictionary(static met => FaultText.Of(met.Key), static met => met.Value),
    };

    /// <summary>Runs the history. What goes wrong is in <see cref="Failure"/>.</summary>
    internal void Run(Func<SimulationWorld, Task> scenario)
    {
        try
        {
            Failure = RunScenario(scenario) ?? RunToTheEnd();
        }
        catch (SimulationLimitException e)
        {
            Failure = Failure.Limit(e);
        }
        finally
        {
            Loop.End();
            Meters.Dispose();
            Shared.Dispose();
            Finish(_options.Store.DeleteAsync(Shared.Inner));
        }
    }

    internal async Task<SimulatedHost> StartHostAsync(string name, Action<BackgroundTaskOptions>? configure)
    {
        while (true)
        {
            if (_hosts.Count > 0 && !_hosts.Exists(static host => host.IsAlive))
            {
                Reopen();
            }

            var same = _hosts.Count(host => host.Name == name || host.Name.StartsWith(name + "#", StringComparison.Ordinal));
            var host = new SimulatedHost(this, new SimulatedProcess(same == 0 ? name : $"{name}#{same + 1}"), _hosts.Count + 1);
            configure?.Invoke(host.Options);
            TellOfUnreadMail(host);
            _hosts.Add(host);
            Shared.Join(host.Store.Feed);
            try
            {
                await host.StartAsync().ConfigureAwait(false);
                return host;
            }
            catch (TaskStoreException e)
            {
                host.GiveUp(e);
            }
            catch (SimulatedHostCrashedException)
            {
                // A supervisor starts the next one.
            }

            await Task.Delay(TimeSpan.FromSeconds(1), ScenarioTime).ConfigureAwait(false);
        }
    }

    /// <summary>Every process is gone; with a store that lives in the process, so is what was on its way to it.</summary>
    private void Reopen()
    {
        var reopened = Loop.Await(() => _options.Store.ReopenAsync(Shared.Inner));
        if (!ReferenceEquals(reopened, Shared.Inner))
        {
            Loop.Drop(Wire);
            Shared.Replace(reopened);
        }
    }

    private static void Finish(ValueTask work)
    {
        if (!work.IsCompletedSuccessfully)
        {
            work.AsTask().GetAwaiter().GetResult();
        }
    }

    private void TellOfUnreadMail(SimulatedHost host)
    {
        if (host.Options.OnUnreadMail is { } callback)
        {
            host.Options.OnUnreadMail = (threadId, cancellationToken) =>
            {
                Recorder.Add(new UnreadMailTold(host.Process, threadId));
                return callback(threadId, cancellationToken);
            };
        }
    }

    private Failure? RunScenario(Func<SimulationWorld, Task> scenario)
    {
        Task? running = null;
        Loop.Post(Scenario, "scenario", () => running = Begin(scenario));
        while (running is not { IsCompleted: true })
        {
            if (!Loop.TryStep() || Loop.Elapsed > _options.MaxTime)
            {
                Escapes.AwaitReport(Loop);
                return Failure.Hangs(
                    $"the scenario has not ended after {Loop.Elapsed}, and nothing in the simulation will end it. Either something that it waits "
                    + "for was lost, or it waits for what only the outside can do. " + Escapes.Advice);
            }
        }

        Loop.ThrowIfEscaped();
        return running.IsCompletedSuccessfully
            ? null
            : Failure.Scenario(running.Exception?.InnerException ?? new TaskCanceledException(running));
    }

    private async Task Begin(Func<SimulationWorld, Task> scenario) => await scenario(new SimulationWorld(this)).ConfigureAwait(false);

    private Failure? RunToTheEnd()
    {
        var evidence = new Evidence(this, _options.Store.LeavesGapsBetweenIds);
        Rest();
        evidence.TakeAtRest();
        Failure? failure = ShutDown();
        if (failure is not null)
        {
            return failure;
        }

        if (Unexpected is not null)
        {
            return Failure.Scenario(Unexpected);
        }

        Recorder.IsAuditing = true;
        evidence.TakeAtEnd();
        foreach (var law in _options.Laws ?? Law.All)
        {
            if (law.Judge(evidence).FirstOrDefault() is { } what)
            {
                return new Failure(law.Title, what);
            }
        }

        return null;
    }

    /// <summary>Nothing goes wrong any more and everybody is awake; what should come about may take its time.</summary>
    private void Rest()
    {
        Trouble.IsOn = false;
        foreach (var host in _hosts)
        {
            host.Resume();
        }

        // A host may still die of what went wrong before, or be on its way out.
        Loop.RunUntil(Loop.Now + SettlesWithin.Ticks);
        if (!_hosts.Exists(static host => host.IsAlive && !host.IsDisposing))
        {
            Loop.Post(Scenario, "sweeper", () => _ = StartHostAsync("sweeper", null));
        }

        var longest = _hosts.Select(static host => host.Options.HostTimeout).DefaultIfEmpty().Max();
        Loop.RunUntil(Loop.Now + ((longest * 3) + RestBeyondTimeouts).Ticks);
        Loop.ThrowIfEscaped();
        Recorder.Add(new CameToRest());
    }

    private Failure? ShutDown()
    {
        var closing = _hosts.Where(static host => host.IsAlive && host.HasStarted).ToList();
        Loop.Post(Scenario, "shut down", () => closing.ForEach(static host => _ = host.ShutDownAsync()));
        if (closing.Count > 0)
        {
            var latest = Loop.Now + closing.Max(static host => host.LongestShutdown).Ticks;
            while (closing.Exists(static host => !host.IsDisposed) && Loop.Now < latest && Loop.TryStep())
            {
                // A step at a time until all have shut down.
            }
        }

        if (closing.Find(static host => !host.IsDisposed) is { } stuck)
        {
            return new Failure(Shutdown.Name, $"the shutdown of host {stuck.Name} has not ended after {stuck.LongestShutdown}");
        }

        Loop.RunUntil(Loop.Now + AfterShutdown.Ticks);
        Loop.ThrowIfEscaped();
        return null;
    }
}
