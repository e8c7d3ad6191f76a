namespace Coppice.PostgreSql;

/// <summary>A row of branches as it is going to be.</summary>
internal sealed record BranchImage(long Owner, long Number)
{
    public long? Parent { get; init; }

    public long? ParentOwner { get; init; }

    public long? Host { get; init; }

    public long? AgentThread { get; init; }

    public long? Kind { get; init; }

    public bool HasEnded { get; init; }

    public string? Name { get; init; }

    public string? RunId { get; init; }
}
