namespace Coppice.Cli.Survey;

/// <summary>
/// The folders that were found and have no task yet. The last found is taken first, so what waits stays in proportion to the depth of
/// the folders and not to their number.
/// </summary>
internal sealed class SurveyPlan
{
    private readonly Lock _gate = new();
    private readonly Stack<FolderItem> _waiting = new();
    private int _known;

    /// <summary>Gets how many folders have been found, those with a task included.</summary>
    public int Known
    {
        get
        {
            lock (_gate)
            {
                return _known;
            }
        }
    }

    /// <summary>Gets how many wait for a task.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Adds sub-folders, to be taken in the order given.</summary>
    public void Add(IReadOnlyList<FolderItem> items)
    {
        lock (_gate)
        {
            for (var i = items.Count - 1; i >= 0; i--)
            {
                _waiting.Push(items[i]);
            }

            _known += items.Count;
        }
    }

    /// <summary>Takes up to <paramref name="count"/> folders.</summary>
    public IReadOnlyList<FolderItem> Take(int count)
    {
        lock (_gate)
        {
            var taken = new List<FolderItem>();
            while (taken.Count < count && _waiting.TryPop(out var item))
            {
                taken.Add(item);
            }

            return taken;
        }
    }
}
