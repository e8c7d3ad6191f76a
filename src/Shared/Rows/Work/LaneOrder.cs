namespace Coppice.Rows;

/// <summary>
/// The lanes of a kind from which a host may claim, the one whose turn it is first: those that the transaction has changed by what is in
/// memory, the others as the table has them, a page at a time.
/// </summary>
internal sealed class LaneOrder(ILaneRows lanes, KindClaim claim, long kind, bool byAge)
{
    private const int FirstPage = 16;

    private readonly Queue<long> _stored = [];
    private readonly PriorityQueue<LaneHead, LaneKey> _changed = new();
    private int _pageSize;
    private bool _isLastPage;

    /// <summary>Finds the lane whose turn it is, if one has a task for the host.</summary>
    public LaneHead? First()
    {
        if (_pageSize == 0)
        {
            NoteChanged();
        }

        var stored = FirstStored();
        while (stored is null && !_isLastPage)
        {
            ReadMore();
            stored = FirstStored();
        }

        var changed = FirstChanged();
        return stored is null ? changed : changed is null || KeyOf(stored) < KeyOf(changed) ? stored : changed;
    }

    /// <summary>Takes in that a lane is another one now.</summary>
    public void Note(LaneHead lane)
    {
        if (HasRoom(lane))
        {
            _changed.Enqueue(lane, KeyOf(lane));
        }
    }

    public LaneKey KeyOf(LaneHead lane) => new(byAge ? 0 : -(long)lane.Priority, lane.Turn);

    private bool HasRoom(LaneHead lane) =>
        lane.Ready > 0 && lane.Version <= claim.MaxVersion && lanes.HasRoom(lane, claim.MaxRunningPerThread);

    private LaneHead? FirstStored()
    {
        while (_stored.TryPeek(out var number))
        {
            if (lanes.Head(number) is { IsChanged: false } lane)
            {
                return lane;
            }

            _stored.Dequeue();
        }

        return null;
    }

    private LaneHead? FirstChanged()
    {
        while (_changed.TryPeek(out var lane, out var key))
        {
            if (HasRoom(lane) && KeyOf(lane) == key)
            {
                return lane;
            }

            _changed.Dequeue();
        }

        return null;
    }

    private void NoteChanged()
    {
        foreach (var lane in lanes.Changed)
        {
            if (lanes.KindOf(lane.Number) == kind)
            {
                Note(lane);
            }
        }
    }

    /// <summary>Reads twice as many as before, of which all that were there before have been passed over.</summary>
    private void ReadMore()
    {
        _pageSize = Math.Max(FirstPage, 2 * _pageSize);
        foreach (var number in lanes.Stored(kind, claim, byAge, _pageSize))
        {
            _stored.Enqueue(number);
        }

        _isLastPage = _stored.Count < _pageSize;
    }
}
