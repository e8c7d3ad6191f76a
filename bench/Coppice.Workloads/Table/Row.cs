namespace Coppice.Workloads;

/// <summary>One side of a comparison: a measurement, what it is asked for, and how the collector runs in its process.</summary>
/// <param name="Measurement">Its name in <see cref="Measurements"/>.</param>
/// <param name="Full">What it is asked for.</param>
/// <param name="Quick">What it is asked for instead when only the machinery is tried out.</param>
internal sealed record Side(string Measurement, string Full, string Quick)
{
    /// <summary>Gets the figure of the other side that this one is handed, where it needs one.</summary>
    internal string? Takes { get; init; }

    /// <summary>Gets whether the collector works in the background; the runtime's default when it is left out.</summary>
    internal bool? BackgroundCollection { get; init; }
}

/// <summary>What is measured together: ours and a floor, in turns, each in a process of its own.</summary>
/// <param name="Name">What it is called on the command line and in the results.</param>
/// <param name="Ours">Our side.</param>
/// <param name="Floor">The floor or the peer. Without one, a line names two figures of ours.</param>
/// <param name="Lines">What stands in the table.</param>
internal sealed record Row(string Name, Side Ours, Side? Floor, params Line[] Lines)
{
    /// <summary>Gets how many runs there are; more where each is short and noisy.</summary>
    internal int Runs { get; init; } = 5;

    /// <summary>Gets whether its figures are counts that every run gives again, so that one is enough.</summary>
    internal bool IsExact { get; init; }

    /// <summary>Gets what makes the file that both sides are handed, or what is in the database before they come, where they need one.</summary>
    internal Side? File { get; init; }

    /// <summary>Gets whether it measures PostgreSQL, which has to run.</summary>
    internal bool IsOnServer { get; init; }
}

/// <summary>One line of the table.</summary>
/// <param name="Name">What a reason for a missed goal refers to.</param>
/// <param name="Title">What the reader sees.</param>
/// <param name="Unit">What the figures count.</param>
/// <param name="Figure">The figure of ours.</param>
/// <param name="Goal">What it should be.</param>
internal sealed record Line(string Name, string Title, string Unit, string Figure, Goal Goal)
{
    /// <summary>Gets the figure that it is measured against; the floor's of the same name when it is left out.</summary>
    internal string? Against { get; init; }

    /// <summary>Gets what the floor of this line is, when that needs a word.</summary>
    internal string? FloorIs { get; init; }

    /// <summary>Gets whether what it is measured against is a figure of ours too, of the same run.</summary>
    internal bool IsWithin { get; init; }
}
