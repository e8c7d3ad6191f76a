namespace Coppice.Testing;

/// <summary>A host is about to claim; what it knows of its room is in the claim.</summary>
internal sealed record Claiming(SimulatedProcess Host, ClaimWork Claim) : HistoryEntry(Host)
{
    internal override string Text => $"has room for {Claim.Limit}";
}

/// <summary>The body of an attempt begins to run.</summary>
internal sealed record AttemptBegan(SimulatedProcess Host, string TaskId, long Claim) : HistoryEntry(Host)
{
    internal override string Text => $"{TaskId} is begun{WorkText.Of(Claim)}";
}

/// <summary>A body waits and makes room for others, or has gone on.</summary>
internal sealed record BodyParked(SimulatedProcess Host, bool Begins) : HistoryEntry(Host)
{
    internal override string Text => Begins ? "a body parks" : "a parked body goes on";
}

/// <summary>What an attempt says of itself. Its body writes it.</summary>
internal abstract record AttemptNote(SimulatedProcess Host, string TaskId, long Claim) : HistoryEntry(Host)
{
    internal sealed override string Text => $"{TaskId}{WorkText.Of(Claim)} {What}";

    protected abstract string What { get; }
}

/// <summary>The work of a step begins: from here on it is paid for.</summary>
internal sealed record StepBegan(SimulatedProcess Host, string TaskId, long Claim, string Name, string Key) : AttemptNote(Host, TaskId, Claim)
{
    protected override string What => $"begins step {WorkText.Of(Name, Key)}";
}

/// <summary>An attempt got the result of a step, out of its work or out of the store.</summary>
/// <param name="Host">Where.</param>
/// <param name="TaskId">The task.</param>
/// <param name="Claim">The attempt.</param>
/// <param name="Name">The name of the step.</param>
/// <param name="Key">Its key.</param>
/// <param name="Result">The result's raw text, or <see langword="null"/> for a failure that is kept.</param>
internal sealed record StepGiven(SimulatedProcess Host, string TaskId, long Claim, string Name, string Key, string? Result) : AttemptNote(Host, TaskId, Claim)
{
    protected override string What => $"has step {WorkText.Of(Name, Key)}: {Result ?? "a kept failure"}";
}

/// <summary>The checkpoint that an attempt begins with.</summary>
internal sealed record CheckpointGiven(SimulatedProcess Host, string TaskId, long Claim, string? Value) : AttemptNote(Host, TaskId, Claim)
{
    protected override string What => $"begins at {Value ?? "nothing"}";
}

internal sealed record SleepBegan(SimulatedProcess Host, string TaskId, long Claim, string Name, TimeSpan Duration) : AttemptNote(Host, TaskId, Claim)
{
    protected override string What => $"sleeps '{Name}' for {Duration}";
}

internal sealed record SleepEnded(SimulatedProcess Host, string TaskId, long Claim, string Name) : AttemptNote(Host, TaskId, Claim)
{
    protected override string What => $"has slept '{Name}'";
}

/// <summary>An attempt got the answer of a join.</summary>
internal sealed record JoinGiven(SimulatedProcess Host, string TaskId, long Claim, string Name, bool IsMet, IReadOnlyList<string> Ended)
    : AttemptNote(Host, TaskId, Claim)
{
    protected override string What => $"has joined '{Name}': {(IsMet ? "" : "not ")}met, {string.Join(", ", Ended)}";
}
