namespace Coppice.Rows;

/// <summary>What a store keeps in memory of one row, as the transaction has it.</summary>
internal abstract class Head(long number)
{
    public long Number { get; } = number;

    /// <summary>Gets or sets whether the table does not have all of this yet.</summary>
    public bool IsChanged { get; set; }
}
