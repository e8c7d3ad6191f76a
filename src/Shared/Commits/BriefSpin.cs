using System.Diagnostics;

namespace Coppice.Rows;

/// <summary>
/// Waits for what comes within microseconds without falling asleep, because waking up would take as long again. It only does so while
/// waits are in fact that short, and yields to whoever needs the processor.
/// </summary>
internal sealed class BriefSpin
{
    private const int PausesBetweenYields = 8;
    private const int Pause = 16;

    private static readonly long Longest = Environment.ProcessorCount > 1 ? Stopwatch.Frequency / 10_000 : 0;

    private bool _isWorthIt;

    /// <summary>Spins until something is true, or for too long.</summary>
    /// <returns>When it began, for <see cref="Waited"/>.</returns>
    public long Until<TState>(TState state, Func<TState, bool> isTrue)
    {
        var begun = Stopwatch.GetTimestamp();
        if (_isWorthIt)
        {
            for (var pauses = 1; !isTrue(state) && Stopwatch.GetTimestamp() - begun < Longest; pauses++)
            {
                Thread.SpinWait(Pause);
                if (pauses % PausesBetweenYields == 0)
                {
                    Thread.Yield();
                }
            }
        }

        return begun;
    }

    /// <summary>Learns how long a wait was in the end.</summary>
    public void Waited(long begun) => _isWorthIt = Stopwatch.GetTimestamp() - begun < Longest;
}
