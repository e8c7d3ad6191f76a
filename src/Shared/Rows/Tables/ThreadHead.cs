namespace Coppice.Rows;

/// <summary>A thread and the head of its mailbox, as the transaction has it. The store alone changes it.</summary>
internal sealed class ThreadHead(long number, string id) : Head(number)
{
    public string Id { get; } = id;

    public long LastSequence { get; set; }

    public long Acknowledged { get; set; }

    public MailCounts Unacknowledged { get; set; }

    /// <summary>Gets or sets how many entries the conversation has.</summary>
    public int Entries { get; set; }

    /// <summary>Gets or sets whether the table has it that this mailbox calls for a reader.</summary>
    public bool IsStoredAsWaking { get; set; }
}
