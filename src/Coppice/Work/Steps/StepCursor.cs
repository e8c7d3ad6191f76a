namespace Coppice;

/// <summary>
/// The step that a flow of a body's code has asked for last. It flows with the code, so that what runs side by side has each its own order.
/// </summary>
internal sealed class StepCursor(StepLog log, string name, StepCursor? previous)
{
    private static readonly AsyncLocal<StepCursor?> Ambient = new();
    private int _followers;

    internal string Name => name;

    /// <summary>Gets how many steps were asked for right after this one; more than one where the flow has forked.</summary>
    internal int Followers => Volatile.Read(ref _followers);

    internal bool HasFailed { get; set; }

    /// <summary>Where the flow stands before a step without a key; from here on it stands at that step.</summary>
    internal static (StepCursor Before, StepCursor At) Advance(StepLog log, StepCursor root, string name)
    {
        var before = Ambient.Value is { } current && current.IsOf(log) ? current : root;
        if (before.HasFailed && before.Name == name)
        {
            // Tried again by the body itself: it stands where the first try stood.
            before = before.Previous;
        }

        Interlocked.Increment(ref before._followers);
        var at = new StepCursor(log, name, before);
        Ambient.Value = at;
        return (before, at);
    }

    private StepCursor Previous => previous ?? this;

    private bool IsOf(StepLog other) => ReferenceEquals(log, other);
}
