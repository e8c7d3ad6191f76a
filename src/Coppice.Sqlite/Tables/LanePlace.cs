namespace Coppice.Sqlite;

/// <summary>The number of a lane: that of its kind, then that of its thread.</summary>
internal static class LanePlace
{
    private const int ThreadBits = 63 - MailPlace.SequenceBits;
    private const long LastThread = (1L << ThreadBits) - 1;

    /// <exception cref="OverflowException">There is no such lane.</exception>
    public static long Of(long kind, long thread) =>
        thread <= LastThread && kind <= long.MaxValue >> ThreadBits
            ? (kind << ThreadBits) | thread
            : throw new OverflowException($"A store holds the work of {LastThread} threads.");

    public static long KindOf(long lane) => lane >> ThreadBits;
}
