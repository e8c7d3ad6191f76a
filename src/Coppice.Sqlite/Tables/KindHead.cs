namespace Coppice.Sqlite;

/// <summary>A kind as the writer's transaction has it.</summary>
internal sealed class KindHead(long number, string name) : Head(number)
{
    public string Name { get; } = name;

    /// <summary>Gets or sets how many of its tasks are running.</summary>
    public int Running { get; set; }

    /// <summary>Gets or sets how many of its tasks may be claimed.</summary>
    public int Ready { get; set; }
}
