namespace Coppice.Testing;

/// <summary>All that a history says of one run of a task's body: the only one of a plain task, one of many attempts at a task of a registered kind.</summary>
/// <param name="claim">The claim; 0 for a plain task.</param>
internal sealed class RunFile(long claim)
{
    internal long Claim { get; } = claim;

    /// <summary>Gets or sets the commit with which its host got it: that of the spawn, or of the claim.</summary>
    internal BatchApplied? Taken { get; set; }

    /// <summary>Gets or sets what was claimed.</summary>
    internal ClaimedWork? Work { get; set; }

    /// <summary>Gets or sets the commit with which its host ended it or handed it back.</summary>
    internal BatchApplied? Finished { get; set; }

    /// <summary>Gets or sets what it was ended with: <see cref="FinishTask"/> or <see cref="HandBackWork"/>.</summary>
    internal Mutation? Finish { get; set; }

    /// <summary>Gets or sets what took the task from it: its end, a hand-back, or that its host was gone.</summary>
    internal HistoryEntry? Over { get; set; }

    internal List<BodyStarted> Starts { get; } = [];

    internal AttemptBegan? Began { get; set; }

    internal BodyEnded? BodyEnd { get; set; }

    internal BodySignalled? Signalled { get; set; }

    internal List<EventEmitted> Emitted { get; } = [];

    internal SimulatedProcess? Host => Taken?.Process;

    internal long Epoch => Taken?.Batch.Host.Epoch ?? 0;

    public override string ToString() => WorkText.Of(Claim);
}
