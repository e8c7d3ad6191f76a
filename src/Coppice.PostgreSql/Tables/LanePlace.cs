namespace Coppice.PostgreSql;

/// <summary>The number of a lane: that of its kind, then that of its thread.</summary>
internal static class LanePlace
{
    private const int ThreadBits = 40;
    private const long LastThread = (1L << ThreadBits) - 1;
    private const long LastKind = (1L << (63 - ThreadBits)) - 1;

    /// <exception cref="OverflowException">There is no such lane.</exception>
    public static long Of(long kind, long thread) =>
        thread > LastThread ? throw new OverflowException($"A store gives work to {LastThread} threads in its life; this one is number {thread}.")
        : kind > LastKind ? throw new OverflowException($"A store has {LastKind} kinds of work in its life; this one is number {kind}.")
        : (kind << ThreadBits) | thread;

    public static long KindOf(long lane) => lane >> ThreadBits;

    public static long ThreadOf(long lane) => lane & LastThread;
}
