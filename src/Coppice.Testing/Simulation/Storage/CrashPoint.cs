namespace Coppice.Testing;

/// <summary>The commit of a host at which it is to crash.</summary>
/// <param name="commit">Which, counting from 1.</param>
/// <param name="moment">When.</param>
internal sealed class CrashPoint(int commit, CrashMoment moment)
{
    private int _left = commit;

    internal CrashMoment Moment => moment;

    internal bool IsNext() => --_left == 0;
}
