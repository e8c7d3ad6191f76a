namespace Coppice.Sqlite;

/// <summary>
/// The key of a piece of mail: its thread's number, then its sequence. So the mail of a thread lies together and in order, and needs no
/// index.
/// </summary>
internal static class MailPlace
{
    /// <summary>How many bits the sequence has: 34 thousand million pieces of mail for a thread, for each of 268 million threads.</summary>
    public const int SequenceBits = 35;

    private const long LastSequence = (1L << SequenceBits) - 1;
    private const long LastThread = (1L << (63 - SequenceBits)) - 1;

    /// <exception cref="OverflowException">There is no such place.</exception>
    public static long Of(long thread, long sequence) =>
        thread <= LastThread && sequence <= LastSequence
            ? (thread << SequenceBits) | sequence
            : throw new OverflowException($"A store holds the mail of {LastThread} threads and {LastSequence} pieces of mail for each.");

    /// <summary>The last place of a thread's mail up to a sequence, whether there could be one of it or not.</summary>
    public static long Through(long thread, long sequence) => Of(thread, Math.Clamp(sequence, 0, LastSequence));

    public static long SequenceAt(long place) => place & LastSequence;
}
