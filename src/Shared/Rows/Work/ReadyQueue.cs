namespace Coppice.Rows;

/// <summary>The ready tasks of one version in a lane, the one that goes first in front: all of them, or as many as are in memory.</summary>
internal sealed class ReadyQueue(int version)
{
    /// <summary>How many are read at a time.</summary>
    public const int Page = 16;

    private const int MaxKnown = 2 * Page;

    private readonly List<ReadyWork> _known = new(1);
    private bool _isAll = true;

    public int Version { get; } = version;

    /// <summary>Gets whether the front is not known, if there is one.</summary>
    public bool NeedsPage => _known.Count == 0 && !_isAll;

    public bool IsEmpty => _known.Count == 0;

    public ReadyWork First => _known[0];

    /// <summary>Gets the one that has been ready longest; <see langword="null"/> when not all are in memory.</summary>
    public ReadyWork? Longest => _isAll ? _known.MinBy(static ready => ready.Rank) : null;

    /// <summary>Takes in the first of those that the table has.</summary>
    public void Read(IEnumerable<ReadyWork> page, bool isAll)
    {
        _known.Clear();
        _known.AddRange(page);
        _isAll = isAll;
    }

    /// <summary>Takes in one that has just become ready.</summary>
    public void Add(in ReadyWork ready)
    {
        var place = _known.Count;
        while (place > 0 && ready.GoesBefore(_known[place - 1]))
        {
            place--;
        }

        if (place == _known.Count && !_isAll)
        {
            return;
        }

        _known.Insert(place, ready);
        if (_known.Count > MaxKnown)
        {
            _known.RemoveAt(MaxKnown);
            _isAll = false;
        }
    }

    /// <summary>Lets go of one that is ready no more.</summary>
    public void Remove(long number)
    {
        for (var place = 0; place < _known.Count; place++)
        {
            if (_known[place].Number == number)
            {
                _known.RemoveAt(place);
                return;
            }
        }
    }
}
