namespace Coppice.Testing;

/// <summary>Writes down what happens.</summary>
internal sealed class Recorder(SimulationLoop loop)
{
    private readonly List<HistoryEntry> _entries = [];

    internal IReadOnlyList<HistoryEntry> Entries => _entries;

    /// <summary>Gets or sets whether what comes is the audit.</summary>
    internal bool IsAuditing { get; set; }

    internal IReadOnlyList<string> Lines => [.. _entries.Where(static entry => !entry.IsAudit).Select(static entry => entry.Line)];

    internal void Add(HistoryEntry entry)
    {
        // The history belongs to the simulation's thread.
        if (!loop.IsInside(entry.GetType().Name))
        {
            return;
        }

        // What a dead host's code still does on its way back to the loop did not happen.
        if (entry.Process is { IsDead: true } && entry is not (HostCrashed or BatchApplied or MailRead or HostFailedToStart or Noted))
        {
            return;
        }

        entry.Number = _entries.Count;
        entry.At = loop.Elapsed;
        entry.IsAudit = IsAuditing;
        _entries.Add(entry);
    }
}
