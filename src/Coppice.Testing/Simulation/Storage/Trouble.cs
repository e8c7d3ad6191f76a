namespace Coppice.Testing;

/// <summary>Decides what goes wrong between the hosts and the store, and counts it.</summary>
internal sealed class Trouble(SimulationFaults faults, SimulationLoop loop, Recorder recorder)
{
    private static readonly FaultKind[] CommitFaults =
    [
        FaultKind.Refused, FaultKind.NotStored, FaultKind.AnswerLost, FaultKind.AnswerLostUnseen, FaultKind.AnsweredTooEarly,
        FaultKind.CrashBefore, FaultKind.CrashAfter, FaultKind.Outage,
    ];

    private readonly double[] _likelihoods =
    [
        faults.RefusedCommits, faults.LostCommits, faults.LostAnswers / 3, faults.LostAnswers / 3, faults.LostAnswers / 3,
        faults.Crashes / 2, faults.Crashes / 2, faults.Outages,
    ];

    private long _awayUntil;

    /// <summary>Gets or sets whether anything goes wrong, and anything is late, from now on.</summary>
    internal bool IsOn { get; set; } = true;

    /// <summary>Gets how often each kind was met.</summary>
    internal Dictionary<FaultKind, long> Met { get; } = [];

    private ChoiceSource Choices => loop.Choices;

    /// <summary>Whether a call takes steps of its own instead of being answered before it returns.</summary>
    internal bool IsSlow() => IsOn && Choices.Happens(1, Choices.Temper.Slowness);

    internal bool IsNewsLate() => IsOn && Choices.Happens(faults.LateNews, Choices.Temper.Slowness * 2);

    internal FaultKind ChooseForCommit(SimulatedProcess host, string what)
    {
        if (!IsOn)
        {
            return FaultKind.None;
        }

        FaultKind kind;
        if (IsAway)
        {
            kind = Choices.Choose(2) == 0 ? FaultKind.Refused : FaultKind.NotStored;
        }
        else
        {
            var choice = Choices.ChooseAmong(_likelihoods, Choices.Temper.Trouble);
            kind = choice == 0 ? FaultKind.None : CommitFaults[choice - 1];
        }

        if (kind == FaultKind.Outage)
        {
            Note(host, kind, what);
            GoAway();
            return FaultKind.Refused;
        }

        if (kind is not (FaultKind.None or FaultKind.CrashBefore or FaultKind.CrashAfter))
        {
            Note(host, kind, what);
        }

        return kind;
    }

    internal bool ChooseForRead(SimulatedProcess host, string what)
    {
        if (!IsOn || (!IsAway && !Choices.Happens(faults.FailedReads, Choices.Temper.Trouble)))
        {
            return false;
        }

        Note(host, FaultKind.ReadFailed, what);
        return true;
    }

    internal void Note(SimulatedProcess host, FaultKind kind, string what)
    {
        Met[kind] = Met.GetValueOrDefault(kind) + 1;
        recorder.Add(new FaultMet(host, kind, what));
    }

    internal static TaskStoreException Failure(bool isKnown) =>
        new("The simulated store failed.", isTransient: true) { IsKnownNotCommitted = isKnown };

    private bool IsAway => loop.Now < _awayUntil;

    private void GoAway() => _awayUntil = loop.Now + (TimeSpan.FromSeconds(1) * (1 + Choices.Choose(20))).Ticks;
}
