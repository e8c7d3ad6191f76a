namespace Coppice.Sqlite;

/// <summary>
/// A table of which the rows that were used lately are in memory. Those that change are written once a transaction, by <see cref="Save()"/>,
/// however often they do.
/// </summary>
/// <param name="maxHeads">Above how many rows, all that are in memory are let go of once they are written.</param>
internal abstract class HeadTable<T>(int maxHeads)
    where T : Head
{
    private readonly Dictionary<long, T> _heads = [];
    private readonly List<T> _changed = [];

    /// <summary>Gets what the table does not have as it is now.</summary>
    public IReadOnlyList<T> Changed => _changed;

    public T Head(long number) => _heads.TryGetValue(number, out var known) ? known : Read(number);

    /// <summary>The head for the caller to change.</summary>
    public T Changing(long number)
    {
        var head = Head(number);
        if (!head.IsChanged)
        {
            head.IsChanged = true;
            _changed.Add(head);
        }

        return head;
    }

    /// <summary>Writes what changed.</summary>
    public void Save()
    {
        foreach (var head in _changed)
        {
            Save(head);
            head.IsChanged = false;
        }

        _changed.Clear();
        if (_heads.Count > maxHeads)
        {
            Forget();
        }
    }

    /// <summary>Lets go of what is in memory: the table has it, or has been set back.</summary>
    public virtual void Forget()
    {
        _heads.Clear();
        _changed.Clear();
    }

    /// <summary>Reads the row and keeps it.</summary>
    protected abstract T Read(long number);

    protected abstract void Save(T head);

    protected virtual T Keep(T head)
    {
        _heads.Add(head.Number, head);
        return head;
    }

    protected void Drop(long number) => _heads.Remove(number);
}
