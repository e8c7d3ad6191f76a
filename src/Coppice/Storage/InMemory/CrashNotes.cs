namespace Coppice;

/// <summary>When processes ended under attempts of a kind, oldest first. Guarded by the board.</summary>
internal sealed class CrashNotes
{
    private const int MaxKept = 1000;

    private readonly List<long> _times = [];

    internal void Add(long ms)
    {
        var place = _times.Count;
        while (place > 0 && _times[place - 1] > ms)
        {
            place--;
        }

        _times.Insert(place, ms);
        if (_times.Count > MaxKept)
        {
            _times.RemoveAt(0);
        }
    }

    /// <summary>From when on the kind may run, if it may not now.</summary>
    internal long? StoppedUntil(KindClaim claim, long nowMs)
    {
        var windowMs = (long)claim.CrashWindow.TotalMilliseconds;
        var counted = _times.Count - CountUntil(nowMs - windowMs);
        return counted >= claim.MaxCrashes ? _times[^claim.MaxCrashes] + windowMs : null;
    }

    private int CountUntil(long ms)
    {
        var count = _times.Count;
        while (count > 0 && _times[count - 1] > ms)
        {
            count--;
        }

        return count;
    }
}
