namespace Coppice.Rows;

/// <summary>The threads and the heads of their mailboxes. A thread stays for good, and so does its number.</summary>
internal interface IThreadRows
{
    /// <summary>
    /// The number of a thread, which needs no lock, or <see langword="null"/> when nothing was ever stored of it, which does: nobody else
    /// may give it a number before the transaction has ended.
    /// </summary>
    long? Find(string id);

    /// <summary>The head of a thread, or <see langword="null"/> when nothing was ever stored of it.</summary>
    ThreadHead? Head(string id);

    /// <summary>The head of a thread.</summary>
    ThreadHead Head(long number);

    /// <summary>The number of a thread, given now where there is none. It needs no lock by itself.</summary>
    long Ensure(string id);

    /// <summary>
    /// Makes room for mail: raises the last sequence and the counts, those of the store's mail depth too. Sequences have no gaps, and
    /// nobody may see one before the one below it.
    /// </summary>
    /// <returns>The head as it is with the mail.</returns>
    ThreadHead Post(long number, MailCounts mail);

    /// <summary>
    /// Takes mail that is gone out of the counts, those of the store's mail depth too, and raises what is acknowledged, if that is more
    /// than it was.
    /// </summary>
    void Release(long number, long acknowledged, MailCounts mail);

    /// <summary>Stores how many entries the conversation has.</summary>
    void SetEntries(long number, int count);
}
