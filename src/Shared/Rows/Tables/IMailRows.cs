namespace Coppice.Rows;

/// <summary>The mail that is not acknowledged, by thread and sequence.</summary>
internal interface IMailRows
{
    /// <summary>Adds a piece of mail at the end.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="sequence">The sequence, for which there is room already.</param>
    /// <param name="mailClass">Its class.</param>
    /// <param name="addressee">The agent task that it is addressed to, if it is.</param>
    /// <param name="mail">The mail.</param>
    void Add(long thread, long sequence, MailClass mailClass, long? addressee, MailEvent mail);

    /// <summary>Deletes mail up to a sequence and says what it was.</summary>
    MailCounts Acknowledge(long thread, long through);

    /// <summary>Takes one piece of mail out and returns its JSON, if it is there.</summary>
    string? Take(long thread, long sequence);

    /// <summary>Takes the messages out that are addressed to an agent task, in the order of their sequences.</summary>
    IReadOnlyList<(long Sequence, string Json)> Bury(long thread, long agent);
}
