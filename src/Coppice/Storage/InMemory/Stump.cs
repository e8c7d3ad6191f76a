namespace Coppice;

/// <summary>A parent that is no task here: a run, whose parentless tasks hang below it, or a task that the store does not know.</summary>
internal sealed class Stump(StumpKind kind, string id) : LineageNode
{
    internal StumpKind Kind { get; } = kind;

    internal string Id { get; } = id;

    internal override bool IsLive => false;
}

internal enum StumpKind
{
    Run,
    UnknownTask,
}
